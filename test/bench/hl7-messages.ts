/** A hospital's day as HL7 v2: each exam is a registration, an order and a report, interleaved over many patients. */
import { residentCheck } from '../../hub/core/identifier.ts';
import type { Exam } from '../province/exams.ts';
import { DIALECTS, order, registration, report } from '../province/messages.ts';
import type { Person } from '../province/persons.ts';

const AT = '20260310083000';
const WORDS = '双肺纹理清晰走行自然未见明显实质性病变气管及主要支气管通畅纵隔内未见肿大淋巴结心影大小形态正常';

/** The `n`th made-up person: names over thousands of characters, so that no name is frequent. */
export function person(n: number): Person {
  const born = String(19_400_101 + (n % 70) * 10_000 + (Math.floor(n / 70) % 12) * 100 + (Math.floor(n / 840) % 28));
  const male = n % 2 === 0;
  const first17 = `99010${String(n % 10)}${born}${String((Math.floor(n / 10) % 500) * 2 + (male ? 1 : 0)).padStart(3, '0')}`;
  return {
    name: name(n),
    pinyin: [`Fam${String(n % 397)}`, `Given${String(n)}`],
    sex: male ? 'M' : 'F',
    born,
    residentId: first17 + residentCheck(first17),
    phone: `199${String(n % 100_000_000).padStart(8, '0')}`,
    address: `虚构省虚构市东城区长青路${String(n)}号`,
    ethnic: '01',
    local: { h1: localId(n) },
  };
}

export const name = (n: number): string =>
  String.fromCodePoint(0x4e00 + ((n * 37) % 6_000), 0x4e00 + ((n * 911) % 6_000), 0x4e00 + ((n * 5_003) % 6_000));
export const localId = (n: number): string => `B${String(100_000 + n)}`;
export const studyUid = (n: number): string => `2.25.77${String(10_000_000 + n)}`;
export const accession = (n: number): string => `CTB${String(n)}`;

function exam(n: number): Exam {
  const day = String(1 + (n % 28)).padStart(2, '0');
  return {
    site: 'h1',
    person: person(n),
    kind: { part: 'chest-ct', finding: 'none', enhanced: false },
    modality: 'CT',
    bodyPart: 'CHEST',
    procedure: ['CT0201', '胸部CT平扫'],
    accession: accession(n),
    placer: `SQB${String(n)}`,
    studyUid: studyUid(n),
    startedAt: `202602${day}${String(8 + (n % 9)).padStart(2, '0')}1500`,
    report: {
      findings: `${WORDS}${String(n)}。${WORDS}。`,
      impression: `胸部CT平扫未见异常${String(n)}`,
      positive: false,
    },
    seed: n,
  };
}

/** Message `at` of a stream that begins with patient `first`; a report follows its order some messages later. */
export function stream(first: number, exams: number, run: string): Buffer[] {
  const h1 = DIALECTS.h1;
  const steps: { readonly turn: number; readonly bytes: Buffer }[] = [];
  for (let k = 0; k < exams; k++) {
    const of = exam(first + k);
    const number = localId(first + k);
    const id = `${run}${String(k)}`;
    steps.push({ turn: k, bytes: registration(h1, of.person, number, `${id}A`, AT) });
    steps.push({ turn: k + 4.3, bytes: order(h1, of, number, 'NW', `${id}O`, AT) });
    steps.push({ turn: k + 12.6, bytes: report(h1, of, number, of.report, 'F', `${id}R`, AT) });
  }
  return steps.sort((a, b) => a.turn - b.turn).map((step) => step.bytes);
}
