import { DateTime } from 'luxon';
import type { ListedSchedule } from '../billing/charge.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';
import { refusedByGateway } from './refused.ts';

/** Either the way is clear, with the records already known under the attempt's own id, or there is nothing to send. */
export type Clearance = Clear | Conclusion;
type Clear = { readonly kind: 'clear'; readonly seen: readonly string[] };
type Ended = { readonly kind: 'outcome'; readonly outcome: Extract<ChargeOutcome, { kind: 'not-sent' }> };

/** The way is clear, and nothing is known under the attempt's own id. */
export const CLEAR: Clear = { kind: 'clear', seen: [] };

/**
 * A token in hand that outlives the call that follows, from a gateway whose clock agrees with the database's: what is
 * due is judged by the database's clock, so one that is far off charges at the wrong time.
 */
export async function reachGateway(
  deps: Pick<WorkerDeps, 'gateway' | 'report' | 'brake'>,
  attempt: Pick<LeasedAttempt, 'now'>,
  refresh = false,
): Promise<Clear | Ended> {
  const readiness = await deps.gateway.ready({ refresh });
  if (readiness.kind === 'ready') {
    const apartMs = Math.abs(readiness.gatewayNowMs - attempt.now.toMillis());
    if (apartMs <= CLOCKS_AGREE_MS) return CLEAR;
    // What a token in hand tells of the gateway's clock was counted here, and a host that slept has not counted that.
    if (!refresh) return reachGateway(deps, attempt, true);
    const reason = `the clocks of the database and the gateway are ${Math.round(apartMs / 1_000)} s apart`;
    await refusedByGateway(deps, reason);
    return notSent(reason);
  }
  if (readiness.kind === 'refused') await refusedByGateway(deps, readiness.reason);
  return notSent(readiness.reason);
}

/**
 * Before the first charge of a billing key, the gateway must say that it belongs to the kind of channel this
 * environment is for: a live card is never charged by a test, nor a test card by production. And it must say that it is
 * not to charge the card by itself: both would (protocol §2.8). Audits ask that for all cards, and this one is new.
 */
export async function checkBillingKey(deps: WorkerDeps, { billingKey, now }: LeasedAttempt): Promise<Clearance> {
  if (billingKey.sandbox === deps.sandbox) return CLEAR;
  const answer = await deps.gateway.billingKey(billingKey.customerUid);
  if (answer.kind === 'unclear') return notSent(answer.reason);
  if (answer.kind === 'absent') return { kind: 'withdrawn', to: 'held', reason: 'billing_key_unknown' };
  const booked = answer.sandbox === deps.sandbox ? await bookedCharge(deps, billingKey, now) : null;
  if (booked !== null) return notSent(booked);
  await deps.store.rememberBillingKey(billingKey, answer);
  if (answer.sandbox === deps.sandbox) return CLEAR;
  return { kind: 'withdrawn', to: 'held', reason: WRONG_KIND[String(answer.sandbox)] ?? 'billing_key_kind_unknown' };
}

/**
 * Why nothing is sent on a card for the charges that the gateway is to make by itself; null where it is to make none. Where
 * the card's own list cannot be read, or is not the card's, that of all cards says it: the scheduler's, which holds each card
 * that has some, or one of its own.
 */
async function bookedCharge(
  { gateway, store }: WorkerDeps,
  billingKey: LeasedAttempt['billingKey'],
  now: DateTime,
): Promise<string | null> {
  const { customerUid } = billingKey;
  const window = { from: now.minus({ days: 1 }), until: now.plus({ days: DAYS_AHEAD }) };
  const booked: ListedSchedule[] = [];
  const take = async (page: readonly ListedSchedule[]) => void booked.push(...page);
  const own = await gateway.schedules({ ...window, customerUid }, take);
  const isOwn = own.kind === 'whole' && booked.every((one) => one.customerUid === customerUid);
  const toCome = () => booked.filter((one) => one.isPending && one.customerUid === customerUid);
  // What its own list showed of it counts, however that ended.
  if (!isOwn && toCome().length === 0 && (await store.schedulesListed(billingKey))) return null;
  const listing = isOwn ? own : await gateway.schedules(window, take);
  const [first] = toCome().sort((one, other) => one.scheduleAtMs - other.scheduleAtMs);
  if (first !== undefined) {
    const at = DateTime.fromMillis(first.scheduleAtMs, { zone: 'utc' }).toISO({ suppressMilliseconds: true });
    return `the gateway is to charge this card by itself at ${at} (${first.merchantUid}): revoke that there first`;
  }
  return listing.kind === 'whole'
    ? null
    : `cannot see whether the gateway charges this card by itself: ${listing.reason}`;
}

/** Nothing went out: the same attempt goes again, within minutes. */
export function notSent(reason: string): Ended {
  return { kind: 'outcome', outcome: { kind: 'not-sent', reason } };
}

const WRONG_KIND: Readonly<Record<string, string>> = { true: 'test_key_in_live', false: 'live_key_in_test' };

/** With the day before, what the gateway lists at once. */
const DAYS_AHEAD = 86;

/** Protocol, reading note to P4: an outage is no clock fault, minutes between two clocks are. */
const CLOCKS_AGREE_MS = 300_000;
