import type { PaymentRecord } from '../billing/charge.ts';
import type { MerchantUid } from '../billing/ids.ts';
import { judgeRecords } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { asked } from './asked.ts';
import { lookForCanary } from './canary.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';

/** Either the way is clear, with the records already known under the attempt's own id, or there is nothing to send. */
export type Clearance = Clear | Conclusion;
type Clear = { readonly kind: 'clear'; readonly seen: readonly string[] };
type Ended = Extract<Conclusion, { kind: 'outcome' }>;

/**
 * A token in hand that outlives the call that follows, from a gateway whose clock agrees with the database's: what is
 * due is judged by the database's clock, so one that is far off charges at the wrong time.
 */
export async function reachGateway(
  deps: Pick<WorkerDeps, 'gateway' | 'report' | 'brake'>,
  { now }: Pick<LeasedAttempt, 'now'>,
  refresh = false,
): Promise<Clear | Ended> {
  const readiness = await deps.gateway.ready({ refresh });
  if (readiness.kind === 'ready') {
    const apartMs = Math.abs(readiness.gatewayNowMs - now.toMillis());
    if (apartMs <= CLOCKS_AGREE_MS) return CLEAR;
    const reason = `the clocks of the database and the gateway are ${Math.round(apartMs / 1_000)} s apart`;
    refusedByGateway(deps, reason);
    return notSent(reason);
  }
  if (readiness.kind === 'refused') refusedByGateway(deps, readiness.reason);
  return notSent(readiness.reason);
}

/**
 * Before the first charge of a billing key, the gateway must say that it belongs to the kind of channel this
 * environment is for: a live card is never charged by a test, nor a test card by production.
 */
export async function checkBillingKey(deps: WorkerDeps, { billingKey }: LeasedAttempt): Promise<Clearance> {
  if (billingKey.sandbox === deps.sandbox) return CLEAR;
  const answer = await deps.gateway.billingKey(billingKey.customerUid);
  if (answer.kind === 'unclear') return notSent(answer.reason);
  if (answer.kind === 'absent') return { kind: 'withdrawn', to: 'held', reason: 'billing_key_unknown' };
  await deps.store.rememberBillingKey(billingKey.id, answer);
  if (answer.sandbox === deps.sandbox) return CLEAR;
  return { kind: 'withdrawn', to: 'held', reason: WRONG_KIND[String(answer.sandbox)] ?? 'billing_key_kind_unknown' };
}

/**
 * Looks before it leaps: asks for every `merchant_uid` of the invoice. What is paid settles the invoice, whichever
 * attempt it was; without a clear answer nothing is sent. "Not found" is none for an id that was seen before, and for one
 * of which a send was never answered it is one only beside a payment that is found: the quarantine is over, but the
 * capture may have landed in it (protocol §2.6). Only a first attempt that never left and was never seen, in a database
 * whose books an audit compared with the gateway's, goes without.
 */
export async function lookBeforeSending(deps: WorkerDeps, attempt: LeasedAttempt): Promise<Clearance> {
  const isFirst = attempt.number === 1 && attempt.sendCount === 0 && attempt.seenBefore.length === 0;
  if (isFirst && attempt.audit === 'passed') return CLEAR;
  const seen: string[] = [];
  const isLate = deadline(deps);
  for (const { merchantUid, wasSeen, isUnanswered } of attempt.uids) {
    if (isLate()) return notSent(TOO_SLOW);
    const answer = await deps.gateway.lookUp(merchantUid);
    if (answer.kind === 'unclear') return notSent(`cannot look before sending: ${answer.reason}`);
    if (answer.kind === 'absent' && wasSeen)
      return notSent('the look-up does not find what the gateway has shown before');
    if (answer.kind === 'absent' && isUnanswered) {
      const canary = await lookForCanary(deps, merchantUid);
      if (canary.kind === 'blind') return notSent(`an earlier send was never answered, and ${canary.why}`);
    }
    if (answer.kind === 'absent') continue;
    await deps.store.observe(answer.records, 'look_up');
    const found = alreadyCharged(deps, attempt, merchantUid, answer.records);
    if (found !== null) return found;
    if (merchantUid === attempt.merchantUid) seen.push(...answer.records.map((record) => record.impUid));
  }
  const forgotten = attempt.audit === 'missing' ? await lookForForgotten(deps, attempt, isLate) : CLEAR;
  return forgotten.kind === 'clear' ? { kind: 'clear', seen } : forgotten;
}

/** Past the lease nothing could be recorded, and the attempt would be taken for one that ends its workers. */
function deadline({ clock, leaseSeconds }: WorkerDeps): () => boolean {
  const beganMs = clock.monotonicMs();
  return () => clock.monotonicMs() - beganMs > leaseSeconds * 500;
}

/**
 * A database restored from a backup may have forgotten attempts that came after the present one. Until an audit has
 * compared the books, the ids that they would have had are looked up as well.
 */
async function lookForForgotten(deps: WorkerDeps, attempt: LeasedAttempt, isLate: () => boolean): Promise<Clearance> {
  const last = Math.max(attempt.number, attempt.policy.retryAfterDays.length + 1);
  for (let number = attempt.number + 1; number <= last; number += 1) {
    if (isLate()) return notSent(TOO_SLOW);
    const answer = await deps.gateway.lookUp(
      deps.merchantUid(attempt.subscription.externalId, attempt.periodKey, number),
    );
    if (answer.kind === 'unclear') return notSent(`cannot look before sending: ${answer.reason}`);
    if (answer.kind === 'absent') continue;
    const reason = `the gateway knows attempt ${number} of this period, which this database does not: was it restored?`;
    return { kind: 'outcome', outcome: { kind: 'review', reason } };
  }
  return CLEAR;
}

function alreadyCharged(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  merchantUid: MerchantUid,
  records: readonly PaymentRecord[],
): Conclusion | null {
  if (records.every((record) => record.status === 'failed')) return null;
  if (merchantUid !== attempt.merchantUid) return earlier(records);
  const outcome = judgeRecords(records, asked(deps, attempt, 0));
  if (outcome.kind === 'paid' || outcome.kind === 'review') return { kind: 'outcome', outcome };
  return notSent(`not settled at the gateway: ${statuses(records)}`);
}

/** What an earlier attempt asked for may differ from what this one would. It was observed: the sweep accounts for it. */
function earlier(records: readonly PaymentRecord[]): Conclusion {
  const isOver = records.every(({ status }) => status === 'failed' || status === 'cancelled');
  if (!isOver) return notSent(`an earlier attempt is not settled: ${statuses(records)}`);
  // Paid and given back, and not by us: the period is unpaid, and nobody but a person knows whether it is still owed.
  const reason = `an earlier attempt was paid and given back: ${statuses(records)}`;
  return { kind: 'outcome', outcome: { kind: 'review', reason } };
}

function statuses(records: readonly PaymentRecord[]): string {
  return records.map(({ impUid, status }) => `${impUid} ${status}`).join(', ');
}

/** A person must act: the whole channel stops for a minute, instead of asking once for every charge that is due. */
export function refusedByGateway(deps: Pick<WorkerDeps, 'report' | 'brake'>, reason: string): void {
  deps.brake.stop(reason);
  deps.report({ kind: 'gateway.refused', reason });
}

/** Nothing went out: the same attempt goes again, within minutes. */
export function notSent(reason: string): Ended {
  return { kind: 'outcome', outcome: { kind: 'not-sent', reason } };
}

const WRONG_KIND: Readonly<Record<string, string>> = { true: 'test_key_in_live', false: 'live_key_in_test' };

/** Protocol, reading note to P4: an outage is no clock fault, minutes between two clocks are. */
const CLOCKS_AGREE_MS = 300_000;

const TOO_SLOW = 'look-ups take too long just now';
const CLEAR: Clear = { kind: 'clear', seen: [] };
