import { z } from 'zod';
import { InputError } from '../../billing/errors.ts';
import type { Page, Place } from '../../store/page.ts';

/** Text that Postgres can hold and an id can be. */
export const IdText = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !text.includes('\0'), 'it holds a NUL character');

/** `a,b,c` of the words listed, none of them twice said wrong: an unknown word is refused by name. */
export function wordList<Word extends string>(words: readonly [Word, ...Word[]]) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(words)).min(1));
}

/** What a list takes whose rows have ids of that form. */
export function sliceOf(id: RegExp) {
  return {
    limit: z
      .string()
      .regex(/^([1-9]\d{0,2}|1000)$/, 'it is not a number from 1 to 1000')
      .transform(Number)
      .default(100),
    cursor: z
      .string()
      .transform((text, context) => {
        const place = parseCursor(text, id);
        if (place === null) context.addIssue({ code: 'custom', message: 'it is not a cursor of this list' });
        return place ?? z.NEVER;
      })
      .optional(),
  };
}

/** What a list takes whose rows are known by UUIDs. */
export const SLICE = sliceOf(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

/** Reads a query by its schema. Throws InputError that names the parameter. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    throw new InputError(`there is no parameter '${issue.keys[0] ?? ''}'`, 'check its spelling');
  }
  throw new InputError(
    `parameter '${issue?.path[0]?.toString() ?? ''}' cannot be read`,
    issue === undefined ? 'check its value' : reasonOf(issue),
  );
}

/** Our own words; zod's are for programmers. */
function reasonOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return 'give it once';
    case 'invalid_value':
      return `use ${issue.values.join(', ')}, with commas between`;
    case 'too_small':
      return 'it is empty';
    case 'too_big':
      return `it is longer than ${issue.maximum} characters`;
    default:
      return issue.message;
  }
}

/** A list as the API answers it. */
export function listAnswer<Row, Item>(
  page: Page<Row>,
  item: (row: Row) => Item,
): { data: Item[]; next_cursor: string | null } {
  return { data: page.rows.map(item), next_cursor: page.next === null ? null : cursorOf(page.next) };
}

function cursorOf({ createdUs, id }: Place): string {
  return Buffer.from(`${createdUs} ${id}`).toString('base64url');
}

function parseCursor(text: string, form: RegExp): Place | null {
  const [, createdUs, id = ''] = CURSOR.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return createdUs === undefined || !form.test(id) ? null : { createdUs, id };
}

const CURSOR = /^(\d{1,16}) ([0-9a-f-]{1,36})$/;
