import { closedAfterSeconds } from '../../../src/billing/absence.ts';
import type { Chance } from './chance.ts';
import type { Plan } from './options.ts';

/** What must appear in no log, queue or message: the marks of every payer and of every card, and our own secrets. */
export const CANARIES = ['Canary-Name', 'canary-mail', '010-9999', '4000000000000', 'canary-secret'] as const;

/** A file of subscriptions numbered `from` to `until`, the latter not included. */
export function subscriptionsCsv(chance: Chance, range: { from: number; until: number }, nowMs: number): string {
  const rows: string[] = [];
  for (let number = range.from; number < range.until; number += 1) rows.push(row(chance, number, nowMs));
  return [COLUMNS, ...rows, ''].join('\n');
}

/** What the file has a subscription cost, in won: an even number. */
export function priceOf(number: number): number {
  return (10 + ((number * 619) % 981)) * 100;
}

/**
 * The configuration of the processes under test: spans that pass within a run, and no brake, which would stop it. `hooks`
 * is what it says of hooks and endpoints.
 */
export function configFile(plan: Plan, nowMs: number, hooks: string): string {
  const quarantineSeconds = closedAfterSeconds({
    timeoutSeconds: TIMEOUT_SECONDS,
    horizonSeconds: (plan.late > 1 ? 4 : 1) * HORIZON_SECONDS,
  });
  return `module.exports = {
  refundDuplicates: 'auto',
  limits: { concurrency: 12, leaseSeconds: 90, reRingSeconds: 20, maxUnknownShare: 1 },
  channels: { default: { timeoutSeconds: ${TIMEOUT_SECONDS}, horizonSeconds: ${HORIZON_SECONDS}, quarantineSeconds: ${quarantineSeconds} } },
  dunning: {
    default: {
      retryAfterDays: [1, 2, 3], minGapHours: ${(quarantineSeconds + 1) / 3_600}, window: { from: '01:00', until: '23:00', timezone: '${zoneInTheNight(nowMs)}' }, jitterMinutes: 0, perCard: null, waitForCardDays: 0,
      classes: { other: { retryAfterDays: [1, 2, 3] } },
    },
  },
  ${hooks}
};
`;
}

/** The zone in which it is past two in the morning: no run lasts until its window closes again, in the evening. */
function zoneInTheNight(nowMs: number): string {
  const east = ((2 - new Date(nowMs).getUTCHours() + 36) % 24) - 12;
  return `Etc/GMT${east < 0 ? `+${-east}` : `-${east}`}`; // POSIX: the sign says what to add to get UTC
}

/** By the campaign's clock. */
export const HORIZON_SECONDS = 60;
const TIMEOUT_SECONDS = 2;

/**
 * Mostly periods that began two weeks ago, so that every rung of the ladder is due as soon as the gap between two
 * attempts allows; the others fall due while the run goes on, and their cards approve, for their rungs lie days ahead.
 */
function row(chance: Chance, number: number, nowMs: number): string {
  const isAhead = chance.happens(0.15);
  const card = isAhead ? 'approve' : chance.weighed(CARDS);
  const anchorMs = isAhead ? nowMs + chance.between(2, 60) * 1_000 : nowMs - chance.between(12, 18) * 86_400_000;
  const anchor = new Date(anchorMs).toISOString().slice(0, 19);
  const payer = `Canary-Name ${number.toString(36)},canary-mail-${number}@example.com,010-9999-${String(number).padStart(4, '0')}`;
  return `sub-${number},c-${number},card-${number},원두,${priceOf(number)},KRW,month,1,${anchor},UTC,${payer},${card}`;
}

const COLUMNS =
  'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,' +
  'buyer_name,buyer_email,buyer_tel,test_card';

/** Cards that never arrive end with a person: after five sends without a trace. */
const CARDS: readonly (readonly [string, number])[] = [
  ['approve', 50],
  ['funds_then_approve', 12],
  ['decline_funds', 4],
  ['decline_card', 2],
  ['decline_other', 2],
  ['decline_as_error', 3],
  ['flip_to_paid', 4],
  ['pending_then_paid', 4],
  ['capture_then_drop', 5],
  ['capture_then_500', 4],
  ['capture_late', 4],
  ['malformed', 3],
  ['drop_before_capture', 1],
  ['error_500', 1],
  ['hang', 1],
];
