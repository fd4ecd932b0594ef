import { DECLINE_CLASSES, type Decline, type DeclineClass } from '../../../billing/charge.ts';

/** What a company says by a code, its words apart. */
export type Meaning = Omit<Decline, 'reason'>;

/** What a company's codes stand for. */
export type DeclineTable = ReadonlyMap<string, Meaning>;

/** Codes by class; those under `blockedToday` stand in a class as well. */
type Codes = Partial<Record<DeclineClass | 'blockedToday', string>>;

/**
 * A table from codes parted by spaces; `8041..8044` is every number from the first to the second. Throws RangeError
 * when a code stands in it twice, or says no more than that today is over.
 */
export function table(codes: Codes): DeclineTable {
  const today = new Set(codesOf(codes.blockedToday));
  const lines = DECLINE_CLASSES.flatMap((name) =>
    codesOf(codes[name]).map((code) => new Map([[code, meaning(name, today.has(code))]])),
  );
  const whole = joined(...lines);
  const [homeless] = [...today].filter((code) => !whole.has(code));
  if (homeless !== undefined) throw new RangeError(`code ${homeless} is blocked today, but in no class`);
  return whole;
}

/** A class, and whether the card is blocked for today. */
export function meaning(name: DeclineClass, isBlocked: boolean): Meaning {
  return { class: name, ...(isBlocked ? { blockedToday: true } : {}) };
}

/** One table of several. Throws RangeError when a code stands in two of them. */
export function joined(...tables: readonly DeclineTable[]): DeclineTable {
  const whole = new Map<string, Meaning>();
  for (const [code, said] of tables.flatMap((part) => [...part])) {
    if (whole.has(code)) throw new RangeError(`code ${code} stands twice in a table of declines`);
    whole.set(code, said);
  }
  return whole;
}

/** The same table for codes that are written otherwise. */
export function rewritten(codes: DeclineTable, write: (code: string) => string): DeclineTable {
  return new Map([...codes].map(([code, said]) => [write(code), said]));
}

/** What `codes` says of a code: as it is written, else as a number without leading zeros. */
export function readCode<Said>(code: string, codes: ReadonlyMap<string, Said>): Said | undefined {
  return codes.get(code) ?? codes.get(code.replace(/^0+(?=\d+$)/, ''));
}

function codesOf(line = ''): string[] {
  return Array.from(line.matchAll(/\S+/g), ([word]) => expand(word)).flat();
}

function expand(word: string): string[] {
  const [first = '', last] = word.split('..');
  if (last === undefined) return [first];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => String(Number(first) + index));
}
