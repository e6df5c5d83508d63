/** Codes of an instance that no table knew when it arrived, looked up again when it is applied: a table may have grown since. */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type { Mapped } from '../../hub/core/envelope.ts';
import type { InstanceRecord } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { TABLES } from '../codes/table.ts';
import { tagText } from './dictionary.ts';
import { TAG } from './tags.ts';

/** Body Part Examined (0018,0015) that was kept as sent has a system of the site's own (see instance.ts). */
export function recoded(record: InstanceRecord, site: SiteProfile): Mapped<InstanceRecord> {
  const { bodyPart } = record.study;
  const own = `${TABLES['body-part']?.system ?? ''}.${site.id}`;
  if (bodyPart?.system !== own) return { ok: true, records: [record], findings: [] };
  const mapped = site.codes.lookup('body-part', bodyPart.code);
  if (mapped !== null)
    return { ok: true, records: [{ ...record, study: { ...record.study, bodyPart: mapped } }], findings: [] };
  const unmapped = unmappedSent('body-part', bodyPart.code);
  const finding = {
    code: 'unmapped-code' as const,
    where: tagText(TAG.BodyPartExamined),
    text: 'The body part is not in the table of the site.',
    ...(unmapped === undefined ? {} : { unmapped }),
  };
  return { ok: true, records: [record], findings: [finding] };
}
