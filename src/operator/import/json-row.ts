import { type Column, parseColumn, type SourceRow, unknownColumn } from './columns.ts';

/** Reads one JSON value as a row: its problems, or the row. Numbers and text mean the same; null is a blank. */
export function* rowOf(value: unknown, line: number, note: string): Generator<SourceRow> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield { kind: 'problem', line, reason: `a row must be an object, { "subscription_id": … }${note}` };
    return;
  }
  const cells = new Map<Column, string>();
  const problems: string[] = [];
  for (const [name, content] of Object.entries(value)) {
    const column = parseColumn(name);
    const cell = column === null ? null : cellOf(column, content);
    if (column === null) problems.push(unknownColumn(name));
    else if (cell === null) problems.push(`${column}: ${badContent(content)}`);
    else if (cell.trim() !== '') cells.set(column, cell.trim());
  }
  for (const reason of problems) yield { kind: 'problem', line, reason: `${reason}${note}` };
  if (problems.length === 0) yield { kind: 'row', line, note, cells };
}

function cellOf(column: Column, content: unknown): string | null {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  if (typeof content === 'number' && isExact(content)) return String(content);
  if (column === 'backup_customer_uids' && Array.isArray(content)) {
    return content.every((uid) => typeof uid === 'string' && !uid.includes(';')) ? content.join(';') : null;
  }
  return null;
}

function badContent(content: unknown): string {
  if (typeof content === 'number') return 'a number too long to be read exactly; write it in quotes';
  return 'write text or a number';
}

/** An id of 17 digits would come out as another one. */
function isExact(number: number): boolean {
  return Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number);
}
