/** The header of one instance with the site that sent it: values decoded in the right set and zone, and what was wrong with them. */
import { lenientUid, parseUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { problem } from '../../hub/core/problem.ts';
import type { Finding, Problem } from '../../hub/core/problem.ts';
import type { SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { chooseCharset } from './charset.ts';
import type { Charset } from './charset.ts';
import type { DataSet } from './data-set.ts';
import { tagText } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { TAG } from './tags.ts';
import { parseOffset, toUtc } from './time.ts';

const CONTROLS = /[\u0000-\u0008\u000b\u000e-\u001f\u007f]+/g;

/** Text that decides the character set: the fields where hospitals write Chinese. */
const SAMPLES: readonly Tag[] = [
  TAG.PatientName,
  TAG.InstitutionName,
  TAG.StudyDescription,
  TAG.SeriesDescription,
  TAG.ReferringPhysicianName,
  TAG.InstitutionalDepartmentName,
  TAG.BodyPartExamined,
  TAG.PatientID,
];

/** The character set of a data set as this site's index reads it, with the reason where the declaration is not believed. */
export function readCharset(
  dataSet: DataSet,
  site?: SiteProfile,
): { readonly charset: Charset; readonly suspect: string | null } {
  const samples = SAMPLES.map((tag) => dataSet.raw(tag)).filter((bytes) => bytes.length > 0);
  return chooseCharset(dataSet.ascii(TAG.SpecificCharacterSet), samples, site?.dicom ?? {});
}

export class HeaderSource {
  readonly findings: Finding[] = [];
  readonly set: DataSet;
  readonly site: SiteProfile;
  readonly charset: Charset;
  readonly zone: string;

  constructor(set: DataSet, site: SiteProfile) {
    this.set = set;
    this.site = site;
    const choice = readCharset(set, site);
    this.charset = choice.charset;
    if (choice.suspect !== null) this.find('charset-suspect', TAG.SpecificCharacterSet, choice.suspect);
    const offset = set.one(TAG.TimezoneOffsetFromUTC);
    if (offset !== '' && parseOffset(offset) === null)
      this.find('invalid-value', TAG.TimezoneOffsetFromUTC, 'Not an offset; the zone of the site is used.');
    this.zone = parseOffset(offset) === null ? site.timeZone : offset;
  }

  find(code: Finding['code'], tag: Tag, text: string): void {
    this.findings.push({ code, where: tagText(tag), text });
  }

  text(tag: Tag, set: DataSet = this.set): string {
    return this.#sound(tag, set.text(tag, this.charset)[0] ?? '');
  }

  /**
   * An identifier that has one value (LO): a backslash in it makes it two (PS3.5 §6.2), of which the first alone would be
   * the number of somebody else.
   */
  identifier(tag: Tag, set: DataSet = this.set): string {
    const values = set.text(tag, this.charset);
    if (values.length > 1) this.find('identifier-suspect', tag, 'The identifier holds a backslash; it is kept whole.');
    return this.#sound(tag, values.join('\\'));
  }

  /** Control characters are no text (PS3.5 §6.1.3); dropped, they would make one identifier into another. */
  #sound(tag: Tag, text: string): string {
    const sound = text.replace(CONTROLS, '\ufffd').toWellFormed();
    if (sound !== text) this.find('invalid-value', tag, 'The value holds control characters.');
    return sound;
  }

  /** PS3.5 §9 UIDs, and such with leading zeros in a component; what could be a path never passes. */
  uid(tag: Tag): Uid | Problem {
    const text = this.set.one(tag);
    if (text === '') return problem('required-missing', tagText(tag), 'The instance lacks a UID that names it.');
    const uid = parseUid(text) ?? lenientUid(text);
    if (uid === null) return problem('invalid-value', tagText(tag), 'A UID is digits and dots, at most 64 characters.');
    if (parseUid(text) === null) this.find('invalid-value', tag, 'A component of the UID has a leading zero.');
    return uid;
  }

  optional<K extends string>(tags: Readonly<Record<K, Tag>>): Partial<Record<K, string>> {
    const found: Partial<Record<K, string>> = {};
    for (const [key, tag] of Object.entries(tags) as [K, Tag][]) {
      const text = this.text(tag).normalize('NFC');
      if (text !== '') found[key] = text;
    }
    return found;
  }

  /** IS: a 32-bit integer in at most 12 characters. */
  integer(tag: Tag): number | null {
    const text = this.set.get(tag)?.vr === 'IS' ? this.set.one(tag) : this.text(tag);
    if (text === '') return null;
    if (/^[+-]?\d{1,11}$/.test(text) && Math.abs(Number(text)) < 2 ** 31) return Number(text);
    this.find('invalid-value', tag, 'Not an integer.');
    return null;
  }

  moment(date: Tag, time: Tag): SourceTime | null {
    const [day, clock] = [this.set.one(date), this.set.one(time)];
    if (day === '') return null;
    const moment = toUtc(day, clock, this.zone) ?? toUtc(day, '', this.zone);
    if (moment === null || toUtc(day, clock, this.zone) === null)
      this.find('invalid-value', moment === null ? date : time, 'Not a date and time of the calendar.');
    return moment;
  }

  quietly(date: Tag, time: Tag): SourceTime | null {
    return toUtc(this.set.one(date), this.set.one(time), this.zone);
  }
}
