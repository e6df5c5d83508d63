/** Who looked: records of the audit as the patient they are about may see them (PIPL 44-45, SECURITY P5). Pure. */
import type { AuditRecord } from './audit.ts';
import { isEmergencyAccess } from './audit.ts';

/** How much of a reader's name is shown. */
export type ReaderNames = 'whole' | 'surname' | 'none';

export interface ShownAccess {
  readonly at: string;
  /** Where the reader works, or the system that read. */
  readonly institution: string;
  readonly role: string;
  /** null: not shown, or no person is known behind the system. */
  readonly reader: string | null;
  readonly purpose: string | null;
  readonly emergency: boolean;
  readonly action: 'read' | 'search' | 'export';
  readonly what: 'images' | 'documents' | 'records';
}

type Looked = Omit<AuditRecord, 'detail'>;

/** null: nobody looked: a hospital sent, an administrator set up, somebody was refused, the hub worked by itself. */
export function shownAccess(record: Looked, names: ReaderNames): ShownAccess | null {
  const { action, outcome, callerId, onBehalfOf: user } = record;
  if (outcome !== 'success' || callerId === 'system') return null;
  if (action !== 'read' && action !== 'search' && action !== 'export') return null;
  const [role] = user?.roles ?? [];
  const [purpose] = user?.purposes ?? [];
  return {
    at: record.at,
    institution: record.institution ?? user?.organization ?? record.callerName,
    role: role === undefined ? record.callerRole : role.display || role.code,
    reader: readerOf(record, names),
    purpose: record.purpose ?? (purpose === undefined ? null : purpose.display || purpose.code),
    emergency: isEmergencyAccess(record),
    action,
    what: whatOf(record),
  };
}

/** A person in a session, or the user whom a system named; a system by itself has no name of a person. */
export function nameOfReader({ onBehalfOf, session, callerName }: Looked): string | null {
  return onBehalfOf?.userName ?? (session === undefined ? null : callerName);
}

function readerOf(record: Looked, names: ReaderNames): string | null {
  // Their own looks are in the list as well, under no name: it is them.
  if (record.callerRole === 'patient') return null;
  const name = nameOfReader(record)?.trim() ?? '';
  if (names === 'none' || name === '') return null;
  return names === 'whole' ? name : `${surnameOf(name)}**`;
}

/** Surnames of two characters that are common enough to be met. */
const TWO = /^(欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|长孙|宇文|端木|独孤|南宫|申屠|钟离|轩辕)/u;

export const surnameOf = (name: string): string => TWO.exec(name)?.[0] ?? Array.from(name)[0] ?? '';

function whatOf({ face, operation, objects }: Looked): ShownAccess['what'] {
  if (face === 'dicomweb' || face === 'wado' || face === 'dimse' || /^RAD-(69|75)/.test(operation)) return 'images';
  return /^ITI-(39|43|68)/.test(operation) || objects.some((one) => one.startsWith('Binary/'))
    ? 'documents'
    : 'records';
}
