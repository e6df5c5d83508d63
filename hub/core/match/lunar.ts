/**
 * The lunar calendar (GB/T 33661) for the years in which people were born who still count by it: whoever says the lunar
 * birthday at a counter has it written down as if it were the solar one, some three to seven weeks early.
 */

/** Of each lunar year from 1900, in base 36: bit n for 30 days in the nth month, from bit 13 the place of the leap month. */
const YEARS =
  '1j2q01g202w5100a018r023f0thy012i028p0h8y01g217ad027902170zor00j1012j0l7t02p51e3602vm02lh174d021i' +
  '00ja0tkl01ck02w90ioi02vm14iu010r021j0zau028q01ck0lvt01ft1cpf0237010r13yz023x012i0uol02as02890hw3' +
  '02391cfh0112023x0zvu02pe02p00oqx02mi1gnp023b011y141h025101ci0s6d02w5018q0lg7023f1cgq012i0295107m' +
  '028i02790tor02171inf00j1012l146h02p502oi0v1h02lh1wel021i00ja19dh01cl02w911n602vm02li0l06021j1iom' +
  '00nu01cl0yix01ft01ar0tgr010r021n0guy012i1dn902as028910ur0239010t0rcd02451p62015e02p117pm02tm02hh' +
  '0tgu011y02450gxe01ci14th02zp018q0y3b00x701230l3q0295224y028i0279174b021700x70wnv014d02960i1e02oi' +
  '1e0502lh021h0zot00xi014l0lnu';

const WIDTH = 4;
const FIRST = 1900;
const DAY_MS = 86_400_000;

interface LunarYear {
  /** Days since 1970 of its first day. */
  readonly from: number;
  /** Days of its months, the leap month in its place. */
  readonly months: readonly number[];
  /** Place of the leap month; 0: none. */
  readonly leap: number;
}

const CALENDAR: readonly LunarYear[] = calendar();

function calendar(): LunarYear[] {
  const years: LunarYear[] = [];
  let from = Date.UTC(1900, 0, 31) / DAY_MS;
  for (let at = 0; at < YEARS.length; at += WIDTH) {
    const word = parseInt(YEARS.slice(at, at + WIDTH), 36);
    const leap = word >> 13;
    const months = Array.from({ length: leap > 0 ? 13 : 12 }, (_, month) => (word & (1 << month) ? 30 : 29));
    years.push({ from, months, leap });
    from += months.reduce((sum, days) => sum + days, 0);
  }
  return years;
}

/** The lunar date of a solar one, written alike, a leap month as the month before it; null: outside of the table. */
export function lunarOf(date: string): string | null {
  const year = Number(date.slice(0, 4));
  const day = Date.UTC(year, Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) / DAY_MS;
  // The lunar year begins in January or February: a day before that is of the year before.
  const begun = CALENDAR[year - FIRST];
  const [of, lunarYear] =
    begun !== undefined && begun.from <= day ? [begun, year] : [CALENDAR[year - 1 - FIRST], year - 1];
  if (of === undefined) return null;
  let rest = day - of.from;
  for (const [at, days] of of.months.entries()) {
    if (rest < days) {
      const month = of.leap > 0 && at >= of.leap ? at : at + 1;
      return `${String(lunarYear)}-${String(month).padStart(2, '0')}-${String(rest + 1).padStart(2, '0')}`;
    }
    rest -= days;
  }
  return null;
}
