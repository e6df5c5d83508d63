/** The hub as a client of other XDS systems: neighbouring communities, and hospitals that run their own domain. */
export { createSoapLinkNotices } from './link-notice.ts';
export { openCommunities } from './community.ts';
export { createRemoteRepositories } from './fetch-document.ts';
export { createImagingFetch } from './fetch-study.ts';
export type { ImagingFetch } from './fetch-study.ts';
export { openHospitals } from './hospital.ts';
export type { Hospital, HospitalManifest, Hospitals } from './hospital.ts';
export type { Communities, Community, CommunityConfig } from './community.ts';
export type { XdsEndpoint } from './endpoint.ts';
export { createNotificationSender } from './notify.ts';
export type { NotificationSender } from './notify.ts';
