/**
 * What of a value is shown to somebody who may not see whose it is. Closed by default: a place that nobody has called plain
 * is hidden, since interfaces put names and numbers where no standard expects them.
 */

/** plain: shown. name: the first character. number: the end. date: the year. text: its length only. */
export type Sight = 'plain' | 'name' | 'number' | 'date' | 'text';

export function masked(value: string, sight: Sight): { readonly value: string; readonly masked: boolean } {
  if (value === '' || sight === 'plain') return { value, masked: false };
  return { value: hidden(value, sight), masked: true };
}

function hidden(value: string, sight: Exclude<Sight, 'plain'>): string {
  const characters = Array.from(value);
  switch (sight) {
    case 'name':
      return `${characters[0] ?? ''}**`;
    case 'number':
      return characters.length <= 5 ? '***' : `***${characters.slice(-2).join('')}`;
    case 'date':
      return /^\d{4}/.test(value) ? `${value.slice(0, 4)}-**` : '****';
    case 'text':
      return `••• (${String(characters.length)})`;
  }
}
