/**
 * The structured log: one JSON line per event on standard error. Patient data is taken out before it reaches the
 * writer, at any depth, by field name and by the shape of the value; pino's own redaction knows fixed paths only.
 */
import pino from 'pino';
import type { Log } from './core/ports.ts';

/** Compared with field names in lower case without separators. */
const PATIENT_FIELD =
  /^(name|value|given|family|text|title|mrn|ssn|sex|gender|bytes|body|payload|content|query|sql|parameters)$|patient|resident|idcard|idnumber|identitycard|passport|givenname|familyname|fullname|birth|dob$|phone|mobile|telephone|email|address|mother|contact|pid\d|nk1|password|secret|token|authorization|cookie/;
/** 18-digit resident identity numbers (GB 11643) and mobile numbers, wherever they stand in a text. */
const IDENTITY_IN_TEXT = /(?<![\d.])(\d{17}[\dXx]|1[3-9]\d{9})(?![\d.])/g;

const MAX_DEPTH = 6;
const MAX_ENTRIES = 50;
const MAX_TEXT = 2_000;
const REMOVED = '[removed]';

const scrubText = (text: string): string => text.slice(0, MAX_TEXT).replace(IDENTITY_IN_TEXT, REMOVED);

/** Driver errors carry row values in `detail` and `where`: only what names the fault is kept. */
function scrubError(error: Error, depth: number): object {
  const { code, constraint, table, column } = error as Error & Readonly<Record<string, unknown>>;
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return {
    type: error.constructor.name,
    message: scrubText(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof table === 'string' ? { table } : {}),
    ...(typeof column === 'string' ? { column } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    ...(error.cause instanceof Error && depth < MAX_DEPTH ? { cause: scrubError(error.cause, depth + 1) } : {}),
    stack: frames.slice(0, 12).map((line) => line.trim()),
  };
}

export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return undefined;
  if (value instanceof Error) return scrubError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${String(value.byteLength)} bytes]`;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => scrub(entry, depth + 1));
  const kept: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
    kept[name] = PATIENT_FIELD.test(plain) ? REMOVED : scrub(entry, depth + 1);
  }
  return kept;
}

const scrubFields = (fields: object): object => ({
  ...(scrub(fields instanceof Error ? { error: fields } : fields) as object),
});

function wrap(writer: pino.Logger): Log {
  return {
    debug: (fields, message) => writer.debug(scrubFields(fields), scrubText(message)),
    info: (fields, message) => writer.info(scrubFields(fields), scrubText(message)),
    warn: (fields, message) => writer.warn(scrubFields(fields), scrubText(message)),
    error: (fields, message) => writer.error(scrubFields(fields), scrubText(message)),
    child: (fields) => wrap(writer.child(scrubFields(fields))),
  };
}

/** `destination` is a file descriptor or a stream; lines are written at once, so that the last one before an end is seen. */
export function createLog(level: 'debug' | 'info' | 'warn' | 'error', destination?: pino.DestinationStream): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return wrap(pino(options, destination ?? pino.destination({ dest: 2, sync: true })));
}
