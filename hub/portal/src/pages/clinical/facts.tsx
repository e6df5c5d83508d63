/** Names and values in two columns; what is not known is left out. */
import type { ReactNode } from 'react';

export function Facts(props: {
  readonly facts: readonly (readonly [name: string, value: string | null | undefined])[];
}): ReactNode {
  const known = props.facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (known.length === 0) return null;
  return (
    <dl className="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
