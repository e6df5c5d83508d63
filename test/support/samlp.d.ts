/** The part of samlp that the tests' identity provider uses; the package has no types of its own. */
declare module 'samlp' {
  export function getSamlResponse(
    options: Readonly<Record<string, unknown>>,
    user: object,
    done: (error: Error | null, xml: string) => void,
  ): void;
}
