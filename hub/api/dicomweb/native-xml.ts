/** The Native DICOM Model (PS3.19 §A.1) of a JSON data set: the XML form of QIDO-RS, metadata and STOW-RS answers. */
import { attributeOf } from '../../../mappings/dicom/dictionary.ts';
import type { JsonDataSet, JsonElement, JsonValue, PersonNameJson } from '../../../mappings/dicom/json.ts';

export function nativeXml(model: JsonDataSet): string {
  const content = elements(model);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">${content}</NativeDicomModel>\n`;
}

function elements(model: JsonDataSet): string {
  return Object.keys(model)
    .sort()
    .map((key) => element(key, model[key] ?? { vr: 'UN' }))
    .join('');
}

function element(key: string, value: JsonElement): string {
  const keyword = attributeOf(parseInt(key, 16))?.keyword;
  const name = keyword === undefined || keyword === '' ? '' : ` keyword="${keyword}"`;
  return `<DicomAttribute tag="${key}" vr="${escaped(value.vr)}"${name}>${content(value)}</DicomAttribute>`;
}

function content({ vr, Value, InlineBinary, BulkDataURI }: JsonElement): string {
  if (BulkDataURI !== undefined) return `<BulkData uri="${escaped(BulkDataURI)}"/>`;
  if (InlineBinary !== undefined) return `<InlineBinary>${InlineBinary}</InlineBinary>`;
  return (Value ?? []).map((value, at) => entry(vr, value, at + 1)).join('');
}

function entry(vr: string, value: JsonValue, number: number): string {
  if (value === null) return '';
  if (typeof value !== 'object') return `<Value number="${number}">${escaped(String(value))}</Value>`;
  if (vr === 'SQ') return `<Item number="${number}">${elements(value as JsonDataSet)}</Item>`;
  const groups = value as PersonNameJson;
  return `<PersonName number="${number}">${(['Alphabetic', 'Ideographic', 'Phonetic'] as const).map((group) => nameGroup(group, groups[group])).join('')}</PersonName>`;
}

function nameGroup(group: string, text: string | undefined): string {
  if (text === undefined) return '';
  const names = ['FamilyName', 'GivenName', 'MiddleName', 'NamePrefix', 'NameSuffix'];
  const parts = text
    .split('^')
    .map((part, at) => (part === '' || !names[at] ? '' : `<${names[at]}>${escaped(part)}</${names[at]}>`));
  return `<${group}>${parts.join('')}</${group}>`;
}

/** What XML 1.0 cannot carry at all (control characters, lone surrogates) becomes the replacement character. */
function escaped(text: string): string {
  return text
    .toWellFormed()

    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
