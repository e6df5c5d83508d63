/** Two languages with the same keys: a word that is missing in one of them does not compile. */

export type Language = 'zh' | 'en';
export type Dictionary<T> = Readonly<Record<Language, T>>;

/** Chinese gives the shape; English must have every key of it, and functions of the same arguments. */
type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer A) => string
      ? (...given: A) => string
      : Same<T[K]>;
};

export const dictionary = <T extends object>(zh: T, en: Same<NoInfer<T>>): Dictionary<Same<T>> => ({
  zh: zh as Same<T>,
  en,
});
