/** The media types and content ids of MIME headers, as the field writes them (RFC 9110 §8.3.1, RFC 2392). */

export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 9110 §8.3.1, parameters quoted or not; a token may hold `:` `/` `=` `+`, which the field leaves unquoted. */
export function parseMediaType(header: string): MediaType | null {
  const match = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?=;|$)/.exec(header);
  if (!match?.[1]) return null;
  const parameters = new Map<string, string>();
  const rest = header.slice(match[0].length);
  const pattern = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;
  for (const [, name = '', quoted, token] of rest.matchAll(pattern))
    if (!parameters.has(name.toLowerCase()))
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  return { type: match[1].toLowerCase(), parameters };
}

/** Without angle brackets. */
export const bareId = (id: string): string => id.trim().replace(/^<([^]*)>$/, '$1');
