/**
 * Who is worth comparing with whom: registrations that share a key. Each key catches what the others miss (a wrong
 * number, a wrong name, a wrong birth date), and each is narrow enough to stay small among a million persons.
 */
import type { Features, NameFeature } from './features.ts';

const MOST_KEYS = 24;

export function blockingKeys(features: Features): string[] {
  const keys = new Set<string>();
  const { birthDate, phones, postalCode, address } = features;
  const id = features.residentId ?? features.brokenResidentId;
  if (id !== null) {
    keys.add(`id|${id}`);
    // A wrong digit leaves one of the two whole: birth and sequence, region and sequence.
    keys.add(`ib|${id.slice(-12)}`);
    if (id.length === 18) keys.add(`ir|${id.slice(0, 6)}${id.slice(14)}`);
  }
  // Two registrations of one child under its mother's number.
  if (features.borrowedId !== null) keys.add(`bo|${features.borrowedId}|${birthDate ?? ''}`);
  for (const number of features.identifiers) keys.add(`no|${number}`);
  for (const phone of phones) keys.add(`ph|${phone}`);
  const year = birthDate?.slice(0, 4) ?? '';
  for (const name of features.names) {
    if (name.ideographic !== null && !name.damaged) {
      if (birthDate !== null) keys.add(`ny|${name.ideographic}|${year}`);
      if (birthDate?.length === 10) keys.add(`nd|${name.ideographic}|${birthDate.slice(5)}`);
    }
    for (const spelled of spellings(name)) {
      if (birthDate !== null) keys.add(`sb|${spelled}|${birthDate}`);
      if (postalCode !== null) keys.add(`sp|${spelled}|${postalCode}`);
      if (name.ideographic === null && birthDate !== null) keys.add(`sy|${spelled}|${year}`);
    }
    if (birthDate !== null) for (const initial of initials(name)) keys.add(`bi|${birthDate}|${initial}`);
    for (const part of [name.family, name.given]) {
      if (part === null) continue;
      if (postalCode !== null) keys.add(`np|${part.slice(0, 4)}|${postalCode}`);
      if (birthDate?.length === 10) keys.add(`nm|${part.slice(0, 4)}|${birthDate.slice(2)}`);
    }
  }
  if (address !== null && birthDate !== null) keys.add(`ay|${address.slice(0, 64)}|${year}`);
  if (features.names.length === 0 && birthDate?.length === 10) keys.add(`bi|${birthDate}|`);
  return [...keys].slice(0, MOST_KEYS);
}

/** The letters of a name in order of the alphabet: neither the order of its words nor where they part matters. */
function spellings(name: NameFeature): string[] {
  const words = name.ideographic === null ? [name.latin.join('')] : name.readings.slice(0, 4);
  return [...new Set(words.map((word) => Array.from(word.replaceAll(' ', '')).sort().join('')))].filter(
    (word) => word.length > 2,
  );
}

function initials(name: NameFeature): string[] {
  const words = name.ideographic === null ? name.latin.slice(0, 3) : name.readings.slice(0, 4);
  const letters = words.map((word) => word.charAt(0));
  // No reading is known of a damaged name: its first character stands for the surname.
  return [...new Set(letters.length === 0 && name.ideographic !== null ? [name.ideographic.charAt(0)] : letters)];
}
