/** Hears what happens, step by step, in words. */
export type Teller = (atMs: number, who: string, what: string) => void;

const LONGEST = 260;

/** A value on one line, as far as a timeline needs it. */
export function brief(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value, (key, item: unknown) => (HIDDEN.has(key) || item === null ? undefined : item));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What would only repeat itself on every line. */
const HIDDEN: ReadonlySet<string> = new Set([
  'policy',
  'raw',
  'buyer',
  'name',
  'taxFreeMinor',
  'vatMinor',
  'subscription',
]);
