/**
 * What the metadata of a submission must be by itself (ITI TF-3 §4.2.3): attributes that must be there, their formats,
 * one submission set, ids used once. Nothing here looks at the registry; hub/core/document-register.ts does.
 */
import type { DocumentAuthor, DocumentEntry, Folder, RegistryProblem, Submission, SubmissionSet } from './document.ts';
import {
  isCx,
  isDocumentUniqueId,
  isDtm,
  isEntryId,
  isLanguage,
  isOid,
  isPatientInfo,
  isReferenceId,
  isSymbol,
  isUniqueOid,
} from './document-format.ts';
import { fullDtm } from './document.ts';

export const metadataError = (location: string, context: string): RegistryProblem => ({
  code: 'XDSRegistryMetadataError',
  severity: 'error',
  context,
  location,
});

/** A hostile message may have a fault everywhere: some are enough. */
const MOST = 100;

/** Empty: the submission may be held against the registry. Associations are judged there. */
export function checkMetadata(submission: Submission): RegistryProblem[] {
  const problems: RegistryProblem[] = [];
  for (const object of submission.objects) {
    if (problems.length >= MOST) break;
    if (object.kind === 'document') problems.push(...checkDocument(object));
    else if (object.kind === 'folder') problems.push(...checkFolder(object));
    else problems.push(...checkSet(object));
  }
  const sets = submission.objects.filter((one) => one.kind === 'submission-set').length;
  if (sets !== 1)
    problems.push(
      metadataError('XDSSubmissionSet', `There must be exactly one submission set, there are ${String(sets)}.`),
    );
  problems.push(...checkIds(submission), ...checkUniqueIds(submission));
  return problems.slice(0, MOST);
}

function checkIds(submission: Submission): RegistryProblem[] {
  const problems: RegistryProblem[] = [];
  const seen = new Set<string>();
  for (const { id } of [...submission.objects, ...submission.associations]) {
    if (!isSymbol(id) && !isEntryId(id))
      problems.push(metadataError('id', 'An id begins with urn:uuid: and is no UUID.'));
    if (seen.has(id)) problems.push(metadataError('id', 'Two objects of the message have the same id.'));
    seen.add(id);
  }
  return problems;
}

function checkUniqueIds(submission: Submission): RegistryProblem[] {
  const seen = new Set<string>();
  const problems: RegistryProblem[] = [];
  for (const { uniqueId } of submission.objects) {
    if (uniqueId !== '' && seen.has(uniqueId))
      problems.push({
        code: 'XDSRegistryDuplicateUniqueIdInMessage',
        severity: 'error',
        context: 'A uniqueId stands more than once in the message.',
        location: isOid(uniqueId) ? uniqueId : 'uniqueId',
      });
    seen.add(uniqueId);
  }
  return problems;
}

type Rule = readonly [attribute: string, holds: boolean, context: string];

const broken = (word: string, rules: readonly Rule[]): RegistryProblem[] =>
  rules.filter(([, holds]) => !holds).map(([attribute, , context]) => metadataError(`${word}.${attribute}`, context));

const optional = (text: string | undefined, is: (text: string) => boolean): boolean => text === undefined || is(text);

const NO_CX = 'It must be id^^^&OID&ISO.';
const NO_DTM = 'It must be a DTM of 4 to 14 digits.';
const NO_OID = 'It must be an OID.';
const MISSING = 'The attribute is required.';

function checkDocument(entry: DocumentEntry): RegistryProblem[] {
  const demand = !entry.limited;
  const stable = entry.entryType === 'stable';
  const rules: Rule[] = [
    ['mimeType', entry.mimeType !== '', MISSING],
    ['patientId', isCx(entry.patientId), NO_CX],
    [
      'uniqueId',
      isDocumentUniqueId(entry.uniqueId),
      'It must be an OID, OID^extension or lower-case urn:uuid: of at most 128 characters.',
    ],
    ['repositoryUniqueId', entry.repositoryUniqueId !== undefined && isOid(entry.repositoryUniqueId), NO_OID],
    ['creationTime', entry.creationTime === undefined ? !stable || !demand : isDtm(entry.creationTime), NO_DTM],
    ['serviceStartTime', optional(entry.serviceStartTime, isDtm), NO_DTM],
    ['serviceStopTime', optional(entry.serviceStopTime, isDtm), NO_DTM],
    ['serviceStopTime', inOrder(entry.serviceStartTime, entry.serviceStopTime), 'It lies before serviceStartTime.'],
    [
      'languageCode',
      entry.languageCode === undefined ? !demand : isLanguage(entry.languageCode),
      'It must be a language tag.',
    ],
    ['sourcePatientId', entry.sourcePatientId === undefined ? !demand : isCx(entry.sourcePatientId), NO_CX],
    [
      'sourcePatientInfo',
      entry.sourcePatientInfo.every(isPatientInfo),
      'Only PID-3, PID-5, PID-7, PID-8 and PID-11 may stand.',
    ],
    ['referenceIdList', entry.referenceIds.every(isReferenceId), 'A value is no CXi with an identifier type.'],
    ['confidentialityCode', !demand || entry.confidentiality.length > 0, MISSING],
  ];
  if (demand)
    for (const name of ['classCode', 'typeCode', 'formatCode', 'facilityType', 'practiceSetting'] as const)
      rules.push([name, entry[name] !== undefined, MISSING]);
  if (stable)
    rules.push(
      ['hash', entry.hash !== undefined && /^[0-9a-f]{40}$/.test(entry.hash), 'It must be a SHA-1 of 40 hex digits.'],
      ['size', entry.size !== undefined && entry.size >= 0, 'It must be a whole number of bytes.'],
    );
  else
    // ITI TF-3 table 4.2.3.2-1: an on-demand entry has no content yet of which these could speak.
    rules.push([
      'hash',
      entry.hash === undefined && entry.size === undefined,
      'An on-demand entry has neither hash nor size.',
    ]);
  return broken('XDSDocumentEntry', [...rules, ...authors(entry.authors)]);
}

const authors = (list: readonly DocumentAuthor[]): Rule[] => [
  [
    'author',
    list.every(
      ({ person, institutions, telecoms }) => person !== undefined || institutions.length + telecoms.length > 0,
    ),
    'An author needs a person, an institution or a telecommunication address.',
  ],
];

const inOrder = (start: string | undefined, stop: string | undefined): boolean =>
  start === undefined ||
  stop === undefined ||
  stop.startsWith(start) ||
  start.startsWith(stop) ||
  fullDtm(start) <= fullDtm(stop);

const checkSet = (set: SubmissionSet): RegistryProblem[] =>
  broken('XDSSubmissionSet', [
    ['patientId', isCx(set.patientId), NO_CX],
    ['uniqueId', isUniqueOid(set.uniqueId), NO_OID],
    ['sourceId', isOid(set.sourceId), NO_OID],
    ['submissionTime', isDtm(set.submissionTime), NO_DTM],
    ['contentTypeCode', set.limited || set.contentType !== undefined, MISSING],
    ...authors(set.authors),
  ]);

/** lastUpdateTime is the registry's own: whatever came is overridden (ITI TF-3 §4.2.3.4.6). */
const checkFolder = (folder: Folder): RegistryProblem[] =>
  broken('XDSFolder', [
    ['patientId', isCx(folder.patientId), NO_CX],
    ['uniqueId', isUniqueOid(folder.uniqueId), NO_OID],
    ['title', folder.limited || folder.title.length > 0, MISSING],
    ['codeList', folder.limited || folder.codes.length > 0, MISSING],
  ]);

/** ITI-42 takes stable entries, ITI-61 on-demand ones (ITI TF-2 §3.42.4.1.2, §3.61.4.1.2). */
export const checkEntryType = (submission: Submission, wanted: DocumentEntry['entryType']): RegistryProblem[] =>
  submission.objects.some((one) => one.kind === 'document' && one.entryType !== wanted)
    ? [metadataError('XDSDocumentEntry.objectType', `This transaction takes ${wanted} document entries only.`)]
    : [];
