import { DateTime } from 'luxon';
import { formatMajor } from '../billing/money.ts';
import type { SimulatedAttempt } from '../store/simulated-attempts.ts';
import { renderTable } from './table.ts';

type Outlook = {
  readonly from: DateTime;
  readonly until: DateTime;
  readonly timezone: string;
  readonly switchedOff: string | null;
};

/** A forecast for people: a row for each charge, in local time, and how much that is in all. */
export function renderForecast(attempts: readonly SimulatedAttempt[], outlook: Outlook): string {
  const { from, until, timezone, switchedOff } = outlook;
  const rows = attempts.map((attempt) => [
    DateTime.fromJSDate(dueAt(attempt), { zone: timezone }).toFormat('yyyy-LL-dd HH:mm'),
    `${formatMajor({ minor: attempt.amount, currency: attempt.currency })} ${attempt.currency}`,
    attempt.subscription,
    `${attempt.periodKey}: ${whyOf(attempt, from)}`,
  ]);
  const paid = attempts.filter(({ state }) => state === 'paid');
  const total = new Map<string, number>();
  for (const { currency, amount } of paid) total.set(currency, (total.get(currency) ?? 0) + amount);
  const sums = [...total].map(([currency, minor]) => `${formatMajor({ minor, currency })} ${currency}`);
  const last = `${paid.length} charges until ${local(until, timezone)}, ${sums.join(' + ') || '0'}, if every card is charged`;
  const off =
    switchedOff === null ? [] : [`Sending is off (${switchedOff}): nothing is charged before \`maedal send on\`.`];
  return [...off, ...(rows.length === 0 ? [] : [renderTable(rows)]), last].join('\n');
}

/** Why a charge is made just then, or is not made. */
export function whyOf(attempt: SimulatedAttempt, from: DateTime): string {
  const { number, state, invoiceState, invoiceReason, declinedBefore, wasSent } = attempt;
  if (number === null || state === 'canceled' || state === 'review')
    return `${invoiceState}: ${invoiceReason ?? state}`;
  if (wasSent) return 'sent already; what became of it is looked up';
  if (declinedBefore !== null) return `try ${number}, declined before (${declinedBefore})`;
  if (number > 1) return `try ${number}`;
  if (state !== 'paid') return 'not settled by then';
  if (dueAt(attempt) < from.toJSDate()) return 'overdue';
  return dueAt(attempt) > attempt.dueAt ? 'missed, caught up' : 'the period begins';
}

function dueAt(attempt: SimulatedAttempt): Date {
  return attempt.attemptDueAt ?? attempt.dueAt;
}

function local(at: DateTime, timezone: string): string {
  return at.setZone(timezone).toFormat('yyyy-LL-dd HH:mm');
}
