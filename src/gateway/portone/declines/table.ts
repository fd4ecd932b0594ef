import { DECLINE_CLASSES, type DeclineClass } from '../../../billing/charge.ts';

/** What a company's codes stand for. */
export type DeclineTable = ReadonlyMap<string, DeclineClass>;

/**
 * A table from codes parted by spaces; `8041..8044` is every number from the first to the second. Throws RangeError
 * when a code stands in it twice.
 */
export function table(codes: Partial<Record<DeclineClass, string>>): DeclineTable {
  return joined(
    ...DECLINE_CLASSES.flatMap((name) =>
      Array.from((codes[name] ?? '').matchAll(/\S+/g), ([word]) => new Map(expand(word).map((code) => [code, name]))),
    ),
  );
}

/** One table of several. Throws RangeError when a code stands in two of them. */
export function joined(...tables: readonly DeclineTable[]): DeclineTable {
  const whole = new Map<string, DeclineClass>();
  for (const [code, name] of tables.flatMap((part) => [...part])) {
    if (whole.has(code)) throw new RangeError(`code ${code} stands twice in a table of declines`);
    whole.set(code, name);
  }
  return whole;
}

/** The same table for codes that are written otherwise. */
export function rewritten(codes: DeclineTable, write: (code: string) => string): DeclineTable {
  return new Map([...codes].map(([code, name]) => [write(code), name]));
}

/** What `codes` says of a code: as it is written, else as a number without leading zeros. */
export function readCode(code: string, codes: DeclineTable): DeclineClass | undefined {
  return codes.get(code) ?? codes.get(code.replace(/^0+(?=\d+$)/, ''));
}

function expand(word: string): string[] {
  const [first = '', last] = word.split('..');
  if (last === undefined) return [first];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => String(Number(first) + index));
}
