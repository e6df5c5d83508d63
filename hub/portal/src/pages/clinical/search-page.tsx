/** Finding a patient. */
import type { ReactNode } from 'react';

export function SearchPage(): ReactNode {
  return <h1>患者检索</h1>;
}
