import { z } from 'zod';
import type { ListedPayment, ListedSchedule } from '../../billing/charge.ts';
import { NO_LINES } from './declines/lines.ts';
import { oneLine, readJson } from './text.ts';
import { readPayment } from './wire.ts';

/** A payment of a list; null when a field that decides about money is missing or of another type. */
export function readListedPayment(value: unknown): ListedPayment | null {
  const record = readPayment(value, NO_LINES); // the lists are of captures and cancels, not of declines
  if (record === null) return null;
  const parsed = beside.parse(value);
  return { ...record, subscription: subscriptionIn(parsed.custom_data), usage: parsed.customer_uid_usage ?? null };
}

/** A booked charge of a list; null when it names no card, id or time. */
export function readListedSchedule(value: unknown): ListedSchedule | null {
  const parsed = schedule.safeParse(value);
  if (!parsed.success) return null;
  const { merchant_uid, customer_uid: customerUid, schedule_at: scheduleAt, schedule_status: status } = parsed.data;
  // Whoever leaves the status out shows what he was asked for, and that is what is to come.
  const isPending = status !== 'executed' && status !== 'revoked';
  return { merchantUid: oneLine(merchant_uid), customerUid, scheduleAtMs: scheduleAt * 1_000, isPending };
}

/** `custom_data` is the merchant's to use for payments of other kinds: whatever is not ours names nothing. */
function subscriptionIn(customData: unknown): string | null {
  const parsed = ours.safeParse(typeof customData === 'string' ? parseJson(customData) : customData);
  return parsed.success ? parsed.data.subscription : null;
}

function parseJson(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return null;
  }
}

const beside = z.looseObject({
  custom_data: z.unknown().optional(),
  customer_uid_usage: z.string().nullish().catch(null),
});
const ours = z.object({
  subscription: z.string().min(1).max(200),
  period: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  invoice: z.string(),
  attempt: z.int(),
});
const schedule = z.object({
  merchant_uid: z.string().min(1).max(64),
  customer_uid: z.string().min(1),
  schedule_at: z.int().positive().max(8.64e12),
  schedule_status: z.string().nullish().catch(null),
});
