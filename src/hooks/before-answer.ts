import { z } from 'zod';
import type { BeforeChargeAnswer } from '../billing/hook.ts';

type ReadAnswer =
  | { readonly kind: 'answer'; readonly answer: BeforeChargeAnswer }
  /** No answer that could be obeyed; the reason shows nothing of its values, which may be a payer's. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads what a before-hook answered, as JSON has it. Whatever is not named here is refused: a misspelt key is no order. */
export function readBeforeAnswer(value: unknown): ReadAnswer {
  if (!isStorable(value))
    return {
      kind: 'refused',
      reason: `its answer is none: it holds a NUL, half of a character, or over ${LEVELS} levels`,
    };
  const read = answerSchema.safeParse(value);
  if (read.success) return { kind: 'answer', answer: read.data };
  const [issue] = read.error.issues;
  const path = issue?.path.join('.') ?? '';
  const problem = `${path === '' ? '' : `${path}: `}${issue?.message ?? 'it has no form'}`;
  return { kind: 'refused', reason: Array.from(`its answer is none: ${problem}`).slice(0, 300).join('') };
}

/** Refuses what no row can hold, and what is nested so deep that whoever reads it on would run out of stack. */
function isStorable(value: unknown, levels = LEVELS): boolean {
  if (typeof value === 'string') return !/[\0\p{Cs}]/u.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.entries(value).every((entry) => entry.every((part) => isStorable(part, levels - 1)));
}

const minor = z.int({ error: 'write a whole number of minor units' }).min(0, { error: 'an amount is not below zero' });
const reason = z.string().trim().min(1).max(500);

/** ISO 8601 with an offset: without one it would mean whatever zone this host is in. A Date is JSON of that form. */
const until = z.iso
  .datetime({ offset: true, error: 'write an instant with its offset, 2027-01-31T10:00:00+09:00' })
  .max(40, { error: 'write an instant to the nanosecond at most' }); // of more digits Luxon makes nothing

const customData = z
  .record(z.string(), z.json())
  .refine((data) => Buffer.byteLength(JSON.stringify(data)) <= CUSTOM_DATA_BYTES, { error: 'at most 4 KB of JSON' });

const answerSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('proceed') }),
    z.strictObject({
      kind: z.literal('adjust'),
      amount: minor.optional(),
      name: z.string().trim().min(1).max(40).optional(),
      taxFree: minor.optional(),
      vat: minor.nullable().optional(),
      customData: customData.optional(),
    }),
    z.strictObject({ kind: z.literal('skip'), reason }),
    z.strictObject({ kind: z.literal('defer'), until }),
    z.strictObject({ kind: z.literal('hold'), reason }),
  ],
  { error: "answer an object whose kind is 'proceed', 'adjust', 'skip', 'defer' or 'hold'" },
);

const CUSTOM_DATA_BYTES = 4_096;
const LEVELS = 100;
