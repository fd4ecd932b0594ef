import { didYouMean } from '../../nearest-name.ts';

/** Every column a file may have, as design and documentation name them. */
export const COLUMNS = [
  'subscription_id',
  'customer_id',
  'customer_uid',
  'name',
  'amount',
  'currency',
  'interval',
  'interval_count',
  'anchor_at',
  'timezone',
  'plan',
  'trial_until',
  'ends_after',
  'billed_through',
  'buyer_name',
  'buyer_email',
  'buyer_tel',
  'backup_customer_uids',
  'channel',
  'policy',
  'test_card',
] as const;
export type Column = (typeof COLUMNS)[number];

/** What a row says, by column; blank cells are left out and the others trimmed. */
export type Cells = ReadonlyMap<Column, string>;

/** A row as the file has it, or what is wrong with it before its values are even looked at. */
export type SourceRow =
  | {
      readonly kind: 'row';
      readonly line: number;
      /** Which row it is where lines do not tell, e.g. ` (row 17)`; else empty. */
      readonly note: string;
      readonly cells: Cells;
    }
  | { readonly kind: 'problem'; readonly line: number; readonly reason: string };

/** Reads a column's name. Null when it is none. */
export function parseColumn(name: string): Column | null {
  return COLUMNS.find((column) => column === name) ?? null;
}

/** Why `name` is no column. */
export function unknownColumn(name: string): string {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return `'${shown}' is not a column${didYouMean(name, COLUMNS)}`;
}

/** What is wrong with a header; a sound one has its columns in `columns`. */
export function readHeader(names: readonly string[]): { columns: Column[]; problems: string[] } {
  const columns: Column[] = [];
  const problems: string[] = [];
  for (const name of names) {
    const column = parseColumn(name);
    if (column === null) problems.push(unknownColumn(name));
    else if (columns.includes(column)) problems.push(`column ${column} is there twice`);
    else columns.push(column);
  }
  const required = columns.includes('plan') ? ALWAYS : [...ALWAYS, ...WITHOUT_PLAN];
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0) problems.push(`missing ${missing.length === 1 ? 'column' : 'columns'} ${missing.join(', ')}`);
  return { columns, problems };
}

const ALWAYS: readonly Column[] = ['subscription_id', 'customer_id', 'customer_uid', 'anchor_at'];
/** What a plan can fill in. A blank `timezone` is the configuration's. */
const WITHOUT_PLAN: readonly Column[] = ['name', 'amount', 'currency', 'interval', 'interval_count'];
