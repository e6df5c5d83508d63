/** The story of the demo: what the three hospitals and the platform send, in the order in which it happens, faults included. */
import { DIALECTS, merge, message, order, pid, registration, report } from '../province/messages.ts';
import type { Dialect } from '../province/messages.ts';
import { exams } from '../province/exams.ts';
import type { Exam, ReportText } from '../province/exams.ts';
import { imagesOf } from '../province/images.ts';
import type { DicomFile } from '../province/images.ts';
import { personNamed, PERSONS } from '../province/persons.ts';
import { priorsOf, registerCast } from './identity-cast.ts';
import type { Person, SiteName } from '../province/persons.ts';
import type { Senders } from './senders.ts';

/** What was sent and what must be found again. */
export interface Played {
  readonly exams: readonly Exam[];
  readonly files: ReadonlyMap<Exam, readonly DicomFile[]>;
  /** Its report was revised. */
  readonly revised: Exam;
  readonly firstReport: ReportText;
  readonly cancelled: Exam;
  /** Its images came before its order. */
  readonly imagesFirst: Exam;
  /** Made under an emergency number that was merged away. */
  readonly merged: Exam;
  readonly mergedInto: Person;
}

const EMERGENCY = 'T900001';

/** The province as it was today: the exams, and who of them came in through the emergency door. */
export function province(today: string): Omit<Played, 'files'> {
  const all = exams(today);
  const find = (site: SiteName, name: string): Exam => {
    const found = all.find((exam) => exam.site === site && exam.person.name === name);
    if (!found) throw new Error(`no exam of ${name} at ${site}`);
    return found;
  };
  const known = find('h1', '吕桂兰');
  const stranger: Person = {
    ...known.person,
    name: '急诊1',
    pinyin: ['Jizhen', '1'],
    residentId: null,
    local: { h1: EMERGENCY },
  };
  const merged = { ...known, person: stranger };
  const revised = find('h1', '张伟');
  const planned: Exam = { ...find('h1', '刘䶮'), person: revised.person };
  return {
    exams: [...all.map((exam) => (exam === known ? merged : exam)), ...priorsOf(all)],
    revised,
    firstReport: find('h3', '诸葛静').report,
    cancelled: {
      ...planned,
      accession: `${planned.accession}9`,
      placer: `${planned.placer}9`,
      studyUid: `${planned.studyUid}9`,
    },
    imagesFirst: find('h2', '王秀英'),
    merged,
    mergedInto: known.person,
  };
}

const numberAt = (exam: Exam): string => exam.person.local[exam.site] ?? '';

/** Wall clock of the hospital some minutes from the exam. */
export function when(exam: Exam, minutes: number): string {
  const [date, time] = [exam.startedAt.slice(0, 8), exam.startedAt.slice(8)];
  const iso = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`;
  return new Date(Date.parse(iso) + minutes * 60_000).toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

/** Control ids: one series for each sender. */
class Numbers {
  #last = 0;
  next(prefix: string): string {
    return `${prefix}${String(++this.#last).padStart(6, '0')}`;
  }
}

/** Paints the images of all exams: a few seconds of work before the first message. */
export function paint(story: Omit<Played, 'files'>): Played {
  return { ...story, files: new Map(story.exams.map((exam) => [exam, imagesOf(exam)])) };
}

export async function play(senders: Senders, story: Played, scene: (title: string) => void): Promise<void> {
  const numbers = new Numbers();
  scene('患者登记 registrations');
  await register(senders, story, numbers);
  scene('检查申请 orders, one of them cancelled');
  await orders(senders, story, numbers);
  scene('影像 images: C-STORE, STOW-RS, and those that h3 keeps');
  await images(senders, story, numbers);
  scene('报告 reports, one of them revised');
  await reports(senders, story, numbers);
  scene('异常 what goes wrong in a province');
  await trouble(senders, story, numbers);
}

async function register(senders: Senders, story: Played, numbers: Numbers): Promise<void> {
  for (const site of ['h1', 'h2', 'h3'] as const)
    for (const [index, person] of PERSONS.entries()) {
      const number = person.local[site];
      // She comes below, in the wrong character set.
      if (number === undefined || (site === 'h2' && person.name === '周琟')) continue;
      const at = `${story.revised.startedAt.slice(0, 8)}0${String(6)}${String(10 + index)}00`;
      if (site === 'h2' && index % 2 === 1) {
        const body = {
          patientId: number,
          name: person.name,
          namePinyin: person.pinyin.join(' '),
          sex: person.sex,
          birthDate: person.born,
          ...(person.residentId === null ? {} : { idType: '01', idNumber: person.residentId }),
          phone: person.phone,
          eventTime: at,
        };
        await senders.rest(site, 'registrations', 'registration', body, numbers.next('REG'));
      } else
        await senders.hl7(
          site,
          'ADT^A04 registration',
          registration(DIALECTS[site], person, number, numbers.next('ADT'), at),
        );
    }
  const { merged } = story;
  await senders.hl7(
    'h1',
    'ADT^A04 emergency, name unknown',
    registration(DIALECTS.h1, merged.person, EMERGENCY, numbers.next('ADT'), when(merged, -60)),
  );
  await registerCast(senders, `${story.revised.startedAt.slice(0, 8)}070000`);
}

async function orders(senders: Senders, story: Played, numbers: Numbers): Promise<void> {
  for (const exam of story.exams) if (exam !== story.imagesFirst) await placeOrder(senders, exam, numbers);
  const { cancelled } = story;
  const number = numberAt(cancelled);
  await senders.hl7(
    'h1',
    'ORM^O01 NW',
    order(DIALECTS.h1, cancelled, number, 'NW', numbers.next('ORM'), when(cancelled, -40)),
  );
  await senders.hl7(
    'h1',
    'ORM^O01 CA: cancelled',
    order(DIALECTS.h1, cancelled, number, 'CA', numbers.next('ORM'), when(cancelled, -10)),
  );
}

async function placeOrder(senders: Senders, exam: Exam, numbers: Numbers): Promise<void> {
  if (exam.site !== 'h2') {
    await senders.hl7(
      exam.site,
      'ORM^O01 NW',
      order(DIALECTS[exam.site], exam, numberAt(exam), 'NW', numbers.next('ORM'), when(exam, -40)),
    );
    return;
  }
  const body = {
    patientId: numberAt(exam),
    orderNumber: exam.placer,
    accessionNumber: exam.accession,
    studyInstanceUid: exam.studyUid,
    procedureCode: exam.procedure[0],
    procedureName: exam.procedure[1],
    modality: exam.modality,
    requestedAt: when(exam, -40),
    eventTime: when(exam, -40),
  };
  await senders.rest('h2', 'orders', 'order', body, numbers.next('ORD'));
}

async function images(senders: Senders, story: Played, numbers: Numbers): Promise<void> {
  for (const [index, exam] of story.exams.entries()) {
    const own = story.files.get(exam) ?? [];
    const what = `${exam.modality} ${exam.bodyPart}`;
    if (exam.site === 'h1') await senders.store('h1', 'H1PACS', what, own);
    else if (exam.site === 'h2' && index % 2 === 0) await senders.store('h2', 'H2MOD', what, own);
    else if (exam.site === 'h2') await senders.stow('h2', what, own);
    if (exam === story.imagesFirst) await placeOrder(senders, exam, numbers);
    if (exam.site === 'h1') continue;
    const kept = exam.site === 'h3' ? { accessUrl: `https://pacs.h3.example/view/${exam.studyUid}` } : {};
    const body = {
      patientId: numberAt(exam),
      accessionNumber: exam.accession,
      orderNumber: exam.placer,
      studyInstanceUid: exam.studyUid,
      modality: exam.modality,
      description: exam.procedure[1],
      startedAt: exam.startedAt,
      seriesCount: new Set(own.map((file) => file.seriesUid)).size,
      instanceCount: own.length,
      eventTime: when(exam, 10),
      ...kept,
    };
    await senders.rest(
      exam.site,
      'exams',
      exam.site === 'h3' ? 'exam; its images stay there' : 'exam',
      body,
      numbers.next('EXM'),
    );
  }
}

async function reports(senders: Senders, story: Played, numbers: Numbers): Promise<void> {
  for (const exam of story.exams) {
    const text = exam === story.revised ? story.firstReport : exam.report;
    if (exam.site !== 'h2')
      await senders.hl7(
        exam.site,
        'ORU^R01 F',
        report(DIALECTS[exam.site], exam, numberAt(exam), text, 'F', numbers.next('ORU'), when(exam, 90)),
      );
    else {
      const body = {
        patientId: numberAt(exam),
        accessionNumber: exam.accession,
        reportNumber: `R${exam.accession}`,
        status: 'F',
        title: exam.procedure[1],
        findings: text.findings,
        impression: text.impression,
        positive: text.positive,
        reporter: '陈晓明',
        auditor: '王建华',
        reportedAt: when(exam, 60),
        auditedAt: when(exam, 90),
        eventTime: when(exam, 90),
      };
      await senders.rest('h2', 'reports', 'report', body, numbers.next('REP'));
    }
  }
  const { revised } = story;
  await senders.hl7(
    'h1',
    'ORU^R01 C: the report is revised',
    report(DIALECTS.h1, revised, numberAt(revised), revised.report, 'C', numbers.next('ORU'), when(revised, 300)),
  );
}

async function trouble(senders: Senders, story: Played, numbers: Numbers): Promise<void> {
  const { merged, mergedInto, revised } = story;
  await senders.hl7(
    'h1',
    'ADT^A40: the emergency number was hers',
    merge(DIALECTS.h1, mergedInto, mergedInto.local.h1 ?? '', EMERGENCY, numbers.next('ADT'), when(merged, 200)),
  );
  const zhou = personNamed('周琟');
  const wrong: Dialect = { ...DIALECTS.h2, charset: 'gb18030' };
  const first = story.exams.find((exam) => exam.person === zhou) ?? revised;
  await senders.hl7(
    'h2',
    'ADT^A04 says UTF-8 and is GB18030',
    registration(wrong, zhou, zhou.local.h2 ?? '', numbers.next('ADT'), when(first, -60)),
  );
  const bad = message(DIALECTS.h1, 'ORU^R01^ORU_R01', numbers.next('ORU'), when(revised, 400), [
    pid(DIALECTS.h1, revised.person, numberAt(revised)),
    'OBR|1|||CT1002^胸部CT平扫^L|||||||||||||||||||||F',
    'OBX|1|TX|59776-5^检查所见^LN||双肺纹理清晰||||||F',
  ]);
  // Kept and acknowledged; the worker refuses it.
  await senders.hl7('h1', 'ORU^R01 that names no exam', bad);
  const stranger: Dialect = { ...DIALECTS.h1, application: 'HIS', facility: 'H9' };
  await senders.hl7(
    'h9',
    'ADT^A04 from an unknown sender',
    registration(stranger, revised.person, 'X1', numbers.next('ADT'), when(revised, 0)),
    'AR',
  );
  await senders.store(
    'h9',
    'STRANGER',
    'C-STORE from an unknown AE title',
    imagesOf(merged),
    'refused: unknown-sender',
  );
  const other = {
    patientId: '20269999',
    name: '李四',
    sex: 'F',
    birthDate: '19900101',
    idType: '01',
    idNumber: revised.person.residentId,
    eventTime: when(revised, 500),
  };
  await senders.rest('h2', 'registrations', 'registration with the ID of somebody else', other, numbers.next('REG'));
  const again = registration(DIALECTS.h1, mergedInto, mergedInto.local.h1 ?? '', 'REPEATED1', when(merged, 210));
  await senders.hl7('h1', 'ADT^A04', again);
  await senders.hl7('h1', 'ADT^A04, the same bytes again', again);
}
