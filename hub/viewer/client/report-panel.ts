/** The panel beside the images: whose exam this is, what the report says, and the other exams of the same person. */
import { beside, opened, saveKeyImage } from './hub.ts';
import type { Beside, ExamBeside } from './hub.ts';
import { react } from './ohif.ts';
import type { Element, Services } from './ohif.ts';
import { switchLanguage, words } from './text.ts';

type Child = Element | string | null;
const h = (tag: string, properties: object | null, ...children: readonly Child[]): Element =>
  react().createElement(tag, properties, ...children);

const section = (title: string, text: string | null): Child =>
  text === null || text === ''
    ? null
    : h(
        'section',
        { key: title, className: 'mt-3' },
        h('h3', { className: 'text-muted-foreground text-xs' }, title),
        h('p', { className: 'whitespace-pre-wrap text-base leading-6' }, text),
      );

/** Of the reader's own clock, as the portal tells it: what the hub sends is UTC, which is yesterday until eight. */
const day = (at: string | null): string => {
  const time = Date.parse(at ?? '');
  const form = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  return Number.isNaN(time) ? '' : new Intl.DateTimeFormat('sv-SE', form).format(time);
};

/** Whether these words may be relied on stands above them: nobody has signed a preliminary report. */
function standingOf({ status, critical }: NonNullable<ExamBeside['report']>): Child {
  const text = words();
  const isDoubtful = status === 'preliminary' || status === 'withdrawn';
  const named = Object.hasOwn(text.statuses, status) ? text.statuses[status as keyof typeof text.statuses] : status;
  const said = [critical ? text.critical : '', named, isDoubtful ? text.unsigned : ''].filter((part) => part !== '');
  const className = isDoubtful || critical ? 'mt-3 rounded border p-2 text-base font-bold' : 'mt-3 text-xs';
  return h('p', { className, 'data-standing': status }, said.join(' · '));
}

function reportOf(report: ExamBeside['report']): Child {
  const text = words();
  if (report === null) return h('p', { className: 'mt-3' }, text.noReport);
  const by = [
    [text.reporter, report.reporter],
    [text.auditor, report.auditor],
  ].flatMap(([label, name]) => (name === null ? [] : [`${label ?? ''} ${name ?? ''}`]));
  return h(
    'article',
    { 'data-report': '' },
    standingOf(report),
    section(text.findings, report.findings),
    section(text.impression, report.impression),
    section(text.suggestion, report.suggestion),
    h('p', { className: 'text-muted-foreground mt-3 text-xs' }, [...by, day(report.reportedAt)].join(' · ')),
  );
}

function examLine(exam: ExamBeside): Child {
  const [study] = exam.studies;
  const isOpen = exam.studies.some(({ studyInstanceUid }) => studyInstanceUid === opened());
  const line = [
    day(study?.startedAt ?? null),
    study?.modalities.join('/') ?? '',
    study?.description ?? '',
    exam.siteName,
  ];
  return h(
    'li',
    { key: exam.examId, className: 'py-1 text-sm', 'data-exam': exam.examId },
    line.filter((part) => part !== '').join(' · ') + (isOpen ? ` (${words().open})` : ''),
  );
}

/** Study, series, instance and frame of a WADO-RS address. */
const PLACE = /\/series\/([0-9.]+)\/instances\/([0-9.]+)\/frames\/(\d+)/;

async function markActive({ services }: Services): Promise<void> {
  const { viewportGridService, cornerstoneViewportService, uiNotificationService } = services;
  const id = viewportGridService.getActiveViewportId();
  const viewport = id === null ? null : cornerstoneViewportService.getCornerstoneViewport(id);
  const [, series, instance, frame] = PLACE.exec(viewport?.getCurrentImageId?.() ?? '') ?? [];
  const saved =
    series !== undefined && instance !== undefined && (await saveKeyImage({ series, instance, frame: Number(frame) }));
  const text = words();
  uiNotificationService.show({
    title: text.keyImage,
    message: saved ? text.saved : text.notSaved,
    type: saved ? 'success' : 'error',
  });
}

function shown(told: Beside, services: Services): Element {
  const text = words();
  const exam = told.exams.find(({ studies }) => studies.some(({ studyInstanceUid }) => studyInstanceUid === opened()));
  const button = 'bg-primary text-primary-foreground mt-3 rounded px-3 py-2 text-sm disabled:opacity-50';
  return h(
    'div',
    null,
    h('h2', { className: 'text-lg' }, told.person.name ?? ''),
    h('p', { className: 'text-muted-foreground text-xs' }, exam?.siteName ?? ''),
    reportOf(exam?.report ?? null),
    h(
      'button',
      {
        type: 'button',
        className: button,
        disabled: !told.maySave,
        title: told.maySave ? text.keyImage : text.mayNotSave,
        onClick: () => void markActive(services),
      },
      text.keyImage,
    ),
    h('h3', { className: 'text-muted-foreground mt-4 text-xs' }, `${text.priors} (${String(told.exams.length)})`),
    h('ul', null, ...told.exams.map(examLine)),
  );
}

export const reportPanel = (services: Services) => (): Element => {
  const { useEffect, useState } = react();
  const [told, setTold] = useState<Beside | 'failed' | null>(null);
  useEffect(() => {
    beside().then(setTold, () => setTold('failed'));
  }, []);
  const text = words();
  const inner = told === null ? text.loading : told === 'failed' ? text.unread : shown(told, services);
  return h(
    'div',
    { className: 'ohif-scrollbar h-full overflow-auto p-3 text-white', 'data-panel': 'report' },
    h(
      'button',
      { type: 'button', className: 'text-primary float-right text-sm underline', onClick: switchLanguage },
      text.language,
    ),
    inner,
  );
};
