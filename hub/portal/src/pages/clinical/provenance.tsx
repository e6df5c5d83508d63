/** How an exam came here, hop by hop: who sent what when, what became of it, and why it is this patient's. */
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useLanguage, useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { dateTime, numberIn, wordOf } from './format.ts';

type Hop = Schemas['Hop'];

/** What became of a message. */
function fateOf(hop: Hop, words: (typeof clinical)['zh']['provenance']): string {
  if (hop.at === null || hop.state === undefined) return words.gone;
  const settled = hop.settledAt ?? null;
  return hop.state === 'applied' && settled !== null ? words.applied(dateTime(settled)) : words.states[hop.state];
}

/** Asked for when somebody wants to know. */
export function ProvenanceSection({ examId }: { readonly examId: string }): ReactNode {
  const words = useText(clinical).provenance;
  const [open, setOpen] = useState(false);
  return (
    <section className="panel">
      <h2>{words.title}</h2>
      {open ? (
        <Hops examId={examId} />
      ) : (
        <button type="button" className="link" onClick={() => setOpen(true)}>
          {words.show}
        </button>
      )}
    </section>
  );
}

function Hops({ examId }: { readonly examId: string }): ReactNode {
  const asked = useAsked(examId, (signal) =>
    ask(api.GET('/exams/{id}/provenance', { params: { path: { id: examId } }, signal })),
  );
  return (
    <Shown asked={asked}>
      {({ items }) => (
        <ol className="hops">
          {items.map((hop, at) => (
            <li key={at}>
              <HopShown hop={hop} />
            </li>
          ))}
        </ol>
      )}
    </Shown>
  );
}

function HopShown({ hop }: { readonly hop: Hop }): ReactNode {
  const words = useText(clinical).provenance;
  const isMessage = hop.kind === 'message' || hop.kind === 'images';
  const told = [
    hop.siteName ?? '',
    hop.sender === undefined ? '' : words.from(hop.sender, hop.channel ?? ''),
    hop.messageType ?? '',
    hop.journalId === undefined ? '' : words.journal(hop.journalId),
  ];
  return (
    <>
      <strong>{words.kinds[hop.kind]}</strong> <span className="fine">{dateTime(hop.at)}</span>
      {isMessage ? (
        <>
          <p className="fine">{told.filter((part) => part !== '').join(' · ')}</p>
          <p className="fine">
            {fateOf(hop, words)} {hop.kind === 'images' ? words.images(hop.count ?? 0) : ''}{' '}
            {hop.findings === undefined || hop.findings.length === 0 ? '' : words.findings(hop.findings.length)}
          </p>
        </>
      ) : null}
      {hop.kind === 'linked' ? <Linked hop={hop} /> : null}
      {hop.kind === 'indexed' ? (
        <p className="fine">
          {hop.value} · {hop.issuedBy === undefined ? '' : words.issuedBy[hop.issuedBy]}
        </p>
      ) : null}
    </>
  );
}

function Linked({ hop }: { readonly hop: Hop }): ReactNode {
  const words = useText(clinical).provenance;
  const { language } = useLanguage();
  const { count = 1, links = [] } = hop;
  return (
    <>
      <p className="fine">{count < 2 ? words.alone : words.linked(count)}</p>
      <ul className="plain fine">
        {links.slice(0, 10).map((link, at) => (
          <li key={at}>
            {words.by[link.source]}: {words.says[link.says]}
            {link.weight === null ? '' : ` · ${words.weight(numberIn(language, link.weight))}`}
            {link.attributes.length === 0
              ? ''
              : ` · ${link.attributes.map((one) => wordOf(words.attributes, one)).join(', ')}`}
          </li>
        ))}
      </ul>
    </>
  );
}
