/** Keeps a page that fails from taking the others with it. */
import { Component } from 'react';
import type { ReactNode } from 'react';
import { useText } from './language.tsx';
import { shell } from './text/shell.ts';

interface Props {
  readonly children: ReactNode;
}

export class Boundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }
  override render(): ReactNode {
    return this.state.failed ? <Broken /> : this.props.children;
  }
}

function Broken(): ReactNode {
  const words = useText(shell);
  return (
    <section className="empty" role="alert">
      <h1>{words.broken}</h1>
      <p>{words.brokenText}</p>
      <button type="button" className="link" onClick={() => location.reload()}>
        {words.reload}
      </button>
    </section>
  );
}
