/** The parts of one ebRIM object, put together as a document entry, submission set or folder of core. */
import type {
  ApprovalStatus,
  DocumentAuthor,
  DocumentCode,
  EntryId,
  ExtraSlot,
  LocalizedText,
  PatientCx,
  RegistryObject,
} from '../../hub/core/document.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { AVAILABILITY, REFERENCE_IDS } from './ebrim-names.ts';
import type { CodeAttribute } from './ebrim-names.ts';

export interface Parts {
  readonly id: string;
  readonly lid: string;
  readonly version: number;
  readonly status: ApprovalStatus;
  readonly title: LocalizedText;
  readonly comments: LocalizedText;
  readonly slots: ReadonlyMap<string, readonly string[]>;
  readonly extra: readonly ExtraSlot[];
  readonly limited: boolean;
  readonly authors: DocumentAuthor[];
  readonly codes: Map<CodeAttribute, readonly DocumentCode[]>;
  readonly identifiers: Map<'patientId' | 'uniqueId' | 'sourceId', string>;
}

/** Attributes that are missing are absent or empty: hub/core/document-rules.ts says which must be there. */
export function objectOf(
  kind: RegistryObject['kind'],
  parts: Parts,
  mimeType: string,
  entryType: 'stable' | 'on-demand',
): RegistryObject {
  const base = {
    id: parts.id as EntryId,
    lid: parts.lid as EntryId,
    version: parts.version,
    status: parts.status,
    patientId: withoutBlanks(parts.identifiers.get('patientId') ?? '') as PatientCx,
    uniqueId: parts.identifiers.get('uniqueId') ?? '',
    title: parts.title,
    comments: parts.comments,
    extra: parts.extra,
    limited: parts.limited,
  };
  const many = (name: string): string[] => (parts.slots.get(name) ?? []).filter((value) => value !== '');
  const first = (name: string): string => many(name)[0] ?? '';
  if (kind === 'folder')
    return { ...base, kind, codes: parts.codes.get('codes') ?? [], lastUpdateTime: first('lastUpdateTime') };
  if (kind === 'submission-set')
    return {
      ...base,
      kind,
      authors: parts.authors,
      ...one('contentType', parts.codes.get('contentType')?.[0]),
      sourceId: parts.identifiers.get('sourceId') ?? '',
      submissionTime: first('submissionTime'),
      intendedRecipients: many('intendedRecipient'),
    };
  const text = (name: string): string | undefined => first(name) || undefined;
  const size = first('size');
  return {
    ...base,
    kind,
    entryType,
    mimeType,
    authors: parts.authors,
    ...one('classCode', parts.codes.get('classCode')?.[0]),
    ...one('typeCode', parts.codes.get('typeCode')?.[0]),
    ...one('formatCode', parts.codes.get('formatCode')?.[0]),
    ...one('facilityType', parts.codes.get('facilityType')?.[0]),
    ...one('practiceSetting', parts.codes.get('practiceSetting')?.[0]),
    confidentiality: parts.codes.get('confidentiality') ?? [],
    eventCodes: parts.codes.get('eventCodes') ?? [],
    ...one('creationTime', text('creationTime')),
    ...one('serviceStartTime', text('serviceStartTime')),
    ...one('serviceStopTime', text('serviceStopTime')),
    ...one('languageCode', text('languageCode')),
    ...one('legalAuthenticator', text('legalAuthenticator')),
    ...one('sourcePatientId', text('sourcePatientId')),
    sourcePatientInfo: many('sourcePatientInfo'),
    referenceIds: many(REFERENCE_IDS),
    ...one('repositoryUniqueId', text('repositoryUniqueId') as Oid | undefined),
    ...one('hash', text('hash')?.toLowerCase()),
    // What is no number stays visible to the rules as one that no document has.
    ...one('size', size === '' ? undefined : /^\d{1,15}$/.test(size) ? Number(size) : -1),
    ...one('uri', joinedUri(many('URI'))),
    availability: first('documentAvailability') === AVAILABILITY.offline ? 'offline' : 'online',
  };
}

/** Blanks around the components of a CX, as the field sends them (WIRE §12). */
const withoutBlanks = (cx: string): string =>
  cx
    .split('^')
    .map((component) =>
      component
        .split('&')
        .map((part) => part.trim())
        .join('&'),
    )
    .join('^');

/** A long URI is cut into `1|…`, `2|…` (ITI TF-3 §4.2.3.2.27). */
function joinedUri(values: readonly string[]): string | undefined {
  if (values.length <= 1) return values[0]?.replace(/^1\|/, '');
  const numbered = values.map((value) => /^(\d+)\|(.*)$/s.exec(value));
  return numbered.every((match) => match !== null)
    ? [...numbered]
        .sort((a, b) => Number(a[1]) - Number(b[1]))
        .map((match) => match[2] ?? '')
        .join('')
    : values.join('');
}

const one = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
