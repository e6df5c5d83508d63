/**
 * How often what goes wrong. These are ASSUMPTIONS, chosen to be harder than a tidy register and not harder than a
 * hospital, since no Chinese master patient index has published its own. What is known and was followed:
 * - among 398,939 confirmed duplicates of US master indexes, 53 % of the mismatches of first names and 34 % of those of
 *   last names were misspellings, and 54 % of the pairs disagreed in the social security number (Just et al., Perspect
 *   Health Inf Manag 2016; 13: 1e, PMC4832129): misspelling leads, and the national number is the least reliable;
 * - synthetic data for linkage must let errors depend on how the record came about (Lam et al., Int J Popul Data Sci, article 2389): here
 *   on whether a card was read, a document was typed off, or somebody spoke at the counter.
 * - a resident number is one person's (Resident Identity Cards Law of 2003, art. 3; the doubles of before the registers
 *   were joined were given out anew), so no two persons here have one number; whoever had theirs corrected is
 *   `renumbered`;
 * - no family calls two of its members by names that sound the same (toneless, a little stricter than life): brothers,
 *   sisters and twins here are one character apart at the least, often no more, and share surname, address, phone, for twins the birth date and all but the end of the ID.
 * Popular given names are two or three times as frequent as in the register, which makes namesakes harder, not easier.
 * Every rate is a probability per registration, unless it says per person.
 */
export const CHANNELS = [
  [0.55, 'card'],
  [0.25, 'typed'],
  [0.195, 'spoken'],
  [0.005, 'device'],
] as const;

/** How a registration came about: a card reader, a clerk with a document, a clerk without one, a modality's console. */
export type Channel = (typeof CHANNELS)[number][1];

export const RATES = {
  /** Persons: what their lives are like. */
  person: {
    /** Came from another province. */
    migrant: 0.17,
    minority: 0.04,
    foreigner: 0.002,
    /** From Hong Kong, Macao or Taiwan, with a residence permit of 18 digits. */
    compatriot: 0.002,
    rareSign: 0.003,
    uncommonSign: 0.008,
    /** Born on 1 January by the register, since the day was not known. */
    firstOfJanuary: { before1950: 0.03, later: 0.004 },
    /** Gives the lunar birthday where no document is asked for; the register has the solar one. */
    lunarBirthday: { before1960: 0.12, before1980: 0.04 },
    /** Once had another given name. */
    renamed: 0.002,
    /** Had the resident number itself corrected by the police. */
    renumbered: 0.0003,
    changedPhone: 0.25,
    moved: 0.15,
    insured: 0.9,
  },
  /** Resident number of registrations that have one. */
  residentId: {
    /** The clerk had a document and typed no number. */
    leftOut: 0.06,
    wrongDigit: 0.006,
    transposed: 0.004,
    cutOff: 0.001,
    /** Another person's, mostly a relative's: the card that was at hand. */
    borrowed: 0.003,
    /** A child's under six registered with a parent's. */
    parents: 0.04,
    /** A newborn's registered with the mother's. */
    mothers: 0.45,
    dummy: 0.004,
    /** Of those born before 1985, in an old system. */
    fifteen: 0.02,
    /** Full-width digits, blanks, small x. */
    untidy: 0.01,
  },
  /** A relative's insurance card used as one's own: number, name, birth and sex are all the relative's. */
  borrowedCard: 0.00002,
  /** Names, where no card was read. */
  name: {
    soundAlike: 0.012,
    lookAlike: 0.003,
    variant: 0.006,
    cutOff: 0.001,
    blanks: 0.01,
    suffix: 0.002,
    former: 0.3,
    /** A console without Chinese input, or a clerk in haste. */
    pinyin: 0.002,
    /** Nobody knew who it was. */
    unknown: 0.0004,
  },
  /** Of names with rare characters, where the system cannot store them, a card read or not. */
  degraded: 0.35,
  /** Birth dates, where no card was read. */
  birth: { swapped: 0.004, digit: 0.006, firstOfJanuary: 0.008, placeholder: 0.004, missing: 0.005, yearOnly: 0.002 },
  sex: { wrong: 0.003, missing: 0.006 },
  phone: { missing: 0.08, others: 0.09, digit: 0.005, dummy: 0.006, untidy: 0.03 },
  address: { missing: 0.15, short: 0.15, former: 0.5 },
  postalCode: 0.4,
  insurance: { given: 0.55, digit: 0.002 },
  /** A second number at a hospital where the person already has one. */
  sameSite: 0.2,
  /** A local number that was another person's before. */
  reusedNumber: 0.001,
} as const;
