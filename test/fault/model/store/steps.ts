import { DateTime } from 'luxon';
import type { AttemptEvent } from '../../../../src/billing/attempt.ts';
import type { PaymentRecord } from '../../../../src/billing/charge.ts';
import { collectingOf } from '../../../../src/billing/next-try.ts';
import type { ChargeOutcome } from '../../../../src/billing/outcome.ts';
import { transition } from '../../../../src/billing/transition.ts';
import { noFailpoints } from '../../../../src/failpoints.ts';
import type { SchedulerDeps } from '../../../../src/scheduler/deps.ts';
import { sweep } from '../../../../src/scheduler/sweep.ts';
import { tick } from '../../../../src/scheduler/tick.ts';
import type { Chance } from '../chance.ts';
import { merchantUidOf } from './merchant-uid.ts';
import { oddStep } from './odd-steps.ts';
import { FINGERPRINT, POLICY_VERSION } from './side.ts';
import { type Hands, type Known, latest, type Step } from './step.ts';

/** The next step of a sequence. All chance is drawn here, so that both sides take the same. */
export function nextStep(chance: Chance, known: Known): Step {
  const draw = chance.below(100);
  if (draw < 12) return pass('tick', chance);
  if (draw < 22) return pass('sweep', chance);
  if (draw < 44) return leaseStep(chance);
  if (draw < 56) return intentStep(chance);
  if (draw < 74) return recordStep(chance, known);
  if (draw < 84) return observeStep(chance, known);
  if (draw < 90) return accountStep(chance);
  return oddStep(chance, known);
}

function pass(name: 'tick' | 'sweep', chance: Chance): Step {
  const catchUp = chance.pick(['latest', 'all', 'hold'] as const);
  const refundDuplicates = chance.pick(['auto', 'propose'] as const);
  return {
    name: `${name} (${catchUp})`,
    take: async (hands) => {
      const deps = schedulerDeps(hands, { catchUp, refundDuplicates });
      return name === 'tick' ? tick(deps) : sweep(deps);
    },
  };
}

function schedulerDeps(hands: Hands, options: Pick<SchedulerDeps, 'catchUp' | 'refundDuplicates'>): SchedulerDeps {
  const { store } = hands.side;
  return {
    ...options,
    store: {
      ...store,
      drawUp: (invoices, versions) => {
        hands.drawn.push(...[...invoices].sort((one, other) => (one.merchant_uid < other.merchant_uid ? -1 : 1)));
        return store.drawUp(invoices, versions);
      },
    },
    gateway: NO_GATEWAY,
    ring: async (rings) => void hands.rings.push(...rings),
    report: () => undefined,
    clock: { nowMs: () => hands.nowMs, monotonicMs: () => 0, after: () => () => undefined },
    failpoints: noFailpoints,
    hmac: (message) => Uint8Array.from({ length: 32 }, (_, index) => hashOf(`${index}${message}`)),
    installation: 'test',
    policyVersions: { default: POLICY_VERSION },
    reRingSeconds: 120,
    sandbox: true,
    channel: () => ({ quarantineSeconds: 86_400, declinesAreFinal: true }),
    room: async () => 10_000,
  };
}

const unreachable = async () => ({ kind: 'unclear', reason: 'there is none' }) as const;
const NO_GATEWAY: SchedulerDeps['gateway'] = {
  ready: async () => ({ kind: 'unreachable', reason: 'there is none' }),
  charge: async () => ({ kind: 'not-sent', reason: 'there is none' }),
  cancel: async () => ({ kind: 'not-sent', reason: 'there is none' }),
  lookUp: unreachable,
  payment: unreachable,
  billingKey: unreachable,
  payments: unreachable,
  schedules: unreachable,
  close: async () => undefined,
};

function hashOf(text: string): number {
  let mixed = 7;
  for (let index = 0; index < text.length; index += 1) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193);
  return (mixed >>> 8) & 255;
}

function leaseStep(chance: Chance): Step {
  const draw = chance.next();
  return {
    name: 'lease',
    take: async ({ side, rings, leased }) => {
      const ring = rings[Math.floor(draw * rings.length)];
      if (ring === undefined) return null;
      const attempt = await side.store.lease(ring, 90);
      if (attempt !== null) leased.push(attempt);
      return attempt;
    },
  };
}

function intentStep(chance: Chance): Step {
  const draw = chance.next();
  const limits = {
    timeoutSeconds: 60,
    quarantineSeconds: 86_400,
    maxAmountMinor: chance.hits(0.1) ? 9_000 : null,
    needsAdoption: chance.hits(0.1),
    fingerprint: chance.hits(0.05) ? 'another' : FINGERPRINT,
  };
  const takeBack = chance.hits(0.2);
  return {
    name: 'intend',
    take: async ({ side, leased }) => {
      const attempt = latest(leased, draw);
      if (attempt === undefined) return null;
      const intent = await side.store.writeIntent(attempt, limits);
      if (intent.kind === 'refused') return intent;
      const sent = { ...attempt, sendCount: attempt.sendCount + 1, sentAt: utc(intent.sentAt.getTime()) };
      leased.push(sent);
      return takeBack ? [intent, await side.store.takeBackIntent(sent, 90, 'the token was refused')] : intent;
    },
  };
}

function recordStep(chance: Chance, known: Known): Step {
  const draw = chance.next();
  const event = randomEvent(chance, known);
  return {
    name: `record ${event.kind === 'outcome' ? event.outcome.kind : event.kind}`,
    take: async ({ side, leased, nowMs }) => {
      const attempt = latest(leased, draw);
      if (attempt === undefined) return null;
      const collecting = collectingOf(attempt, true);
      const standing = { ...attempt, quarantineSeconds: 86_400, timesNotSent: attempt.fence - 1, collecting };
      const sends = attempt.sendCount - attempt.notSentCount;
      const next = transition({ ...standing, sends }, event, attempt.policy, utc(nowMs));
      const merchantUid = event.kind === 'captured' ? merchantUidOf(event.merchantUid) : attempt.merchantUid;
      return side.store.record({ ...attempt, merchantUid }, next);
    },
  };
}

function randomEvent(chance: Chance, { uids }: Known): AttemptEvent {
  const uid = uids.length > 0 ? chance.pick(uids) : 'none';
  const draw = chance.below(12);
  if (draw === 0) return { kind: 'withdrawn', to: chance.pick(['held', 'void'] as const), reason: 'over_max_amount' };
  if (draw === 1) return { kind: 'overtaken' };
  if (draw === 4)
    return { kind: 'deferred', until: utc(Date.UTC(2027, 1, 2)), reason: 'another missed period was charged today' };
  if (draw < 4) return { kind: 'captured', impUid: impUidOf(uid, chance.below(2)), merchantUid: uid };
  return { kind: 'outcome', outcome: randomOutcome(chance, uid) };
}

function randomOutcome(chance: Chance, uid: string): ChargeOutcome {
  const decline = { class: 'funds', reason: '한도초과' } as const;
  const unanswered = chance.below(2);
  return chance.pick<ChargeOutcome>([
    { kind: 'paid', record: paymentOf(uid, 'paid', 0) },
    { kind: 'declined', decline, impUid: impUidOf(uid, 1), unanswered },
    { kind: 'rejected', decline, unanswered },
    { kind: 'not-sent', reason: 'refused' },
    { kind: 'not-sent', reason: 'imps_1 ready', unsettled: true },
    { kind: 'unknown', reason: 'the connection was lost' },
    { kind: 'not-found', horizon: 'open' },
    { kind: 'absent', beside: 'imps_canary' },
    { kind: 'review', reason: 'it was paid, but another card paid' },
  ]);
}

function observeStep(chance: Chance, { uids }: Known): Step {
  const uid = uids.length > 0 ? chance.pick(uids) : 'none';
  const number = chance.below(3);
  const cancelMinor = chance.hits(0.2) ? chance.pick([900, 9_900]) : 0;
  const status = chance.pick(['paid', 'failed', 'ready', 'cancelled', 'other'] as const);
  const records = [{ ...paymentOf(uid, status, number), cancelMinor }];
  if (chance.hits(0.2)) records.push(paymentOf(uid, chance.pick(['paid', 'failed'] as const), number + 1));
  return { name: `observe ${status}`, take: ({ side }) => side.store.observe(records, 'look_up') };
}

function paymentOf(uid: string, status: PaymentRecord['status'], number: number): PaymentRecord {
  return {
    impUid: impUidOf(uid, number),
    merchantUid: uid,
    status,
    amount: { minor: 9_900, currency: 'KRW' },
    cancelMinor: 0,
    customerUid: null,
    sandbox: true,
    decline: status === 'failed' ? { class: 'funds', reason: '한도초과' } : null,
    startedAtMs: 1_000,
    paidAtMs: status === 'paid' ? 2_000 + number : null,
    failedAtMs: status === 'failed' ? 2_000 : null,
    raw: {},
  };
}

function impUidOf(uid: string, number: number): string {
  return `imps_${uid.slice(4, 20)}${uid.slice(-2)}_${number}`;
}

function accountStep(chance: Chance): Step {
  const draw = chance.next();
  const what = chance.pick(['wait', 'broken', 'settles', 'returned', 'refund', 'review', 'list'] as const);
  return {
    name: `account ${what}`,
    take: async (hands) => {
      const { store } = hands.side;
      if (what === 'list' || hands.found.length === 0)
        hands.found = [...(await store.unaccountedCaptures(500, true)), ...hands.found].slice(0, 4);
      const found = hands.found[Math.floor(draw * hands.found.length)];
      if (found === undefined || what === 'list') return hands.found;
      if (what === 'refund') return store.putUpForRefund(found, { reason: 'captured again', approval: 'proposed' });
      if (what === 'review') return store.putUpForReview(found, 'it was cancelled at the gateway');
      return store.accountAs(found, what);
    },
  };
}

function utc(millis: number): DateTime {
  return DateTime.fromMillis(millis, { zone: 'utc' });
}
