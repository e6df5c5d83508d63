/** Wires the viewer: its files, its two doors, and what it may ask and save. */
import type { Router } from 'express';
import { fileURLToPath } from 'node:url';
import type { DicomwebDeps } from './api/dicomweb/index.ts';
import { viewerFace } from './api/viewer/face.ts';
import { createManifest } from './flow/manifest.ts';
import { createPersonExams, createViewerLaunches } from './store/viewer.ts';
import type { Ground, Rooms } from './compose.ts';

/** Where `npm run build` puts it. */
const DIST = fileURLToPath(new URL('viewer/dist', import.meta.url));

export function viewer({ config, database, sites, clock }: Ground, rooms: Rooms, dicomweb: DicomwebDeps): Router {
  const { derive, audit } = rooms;
  return viewerFace({
    dist: DIST,
    embedders: config.embedOrigins,
    launches: createViewerLaunches({ database, clock }),
    exams: createPersonExams({ database, derive }),
    sites,
    audit,
    desk: rooms.access,
    clock,
    dicomweb,
    write: ({ exam, study }, keyImages) =>
      createManifest({
        exam,
        study,
        repositoryOid: config.repositoryOid,
        aeTitle: config.aeTitle,
        timeZone: sites.byId(study.site)?.timeZone ?? 'Asia/Shanghai',
        createdAt: clock().toISOString(),
        derive,
        keyImages,
      }),
  });
}
