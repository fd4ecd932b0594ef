import { createHmac } from 'node:crypto';
import type { ChargeRequest } from '../../../src/billing/charge.ts';
import { installationPrefix, type MerchantUid, merchantUid } from '../../../src/billing/ids.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Failpoints } from '../../../src/failpoints.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { SchedulerDeps } from '../../../src/scheduler/deps.ts';
import type { Ring } from '../../../src/store/due.ts';
import type { LeasedAttempt } from '../../../src/store/lease.ts';
import { unknownShareBrake } from '../../../src/worker/brake.ts';
import type { WorkerDeps } from '../../../src/worker/deps.ts';
import type { Stops } from '../../../src/worker/stops.ts';
import type { Faults } from './faults.ts';
import type { ModelGateway } from './model-gateway.ts';
import { HORIZON_MS, type Plan, QUARANTINE_MS, TIMEOUT_MS } from './plan.ts';
import { type Actor, Delayed, type Stage } from './stage.ts';
import { writeIntent } from './store/intending.ts';
import { type Carry, memoryStore } from './store/memory-store.ts';
import { record } from './store/recording.ts';
import { FINGERPRINT, POLICY_VERSION } from './store/side.ts';
import type { Tables } from './store/tables.ts';

/** What the processes of a world share. */
export type Surroundings = {
  readonly plan: Plan;
  readonly stage: Stage;
  readonly tables: Tables;
  readonly gateway: ModelGateway;
  readonly faults: Faults;
  /** A worker was given an attempt. */
  readonly leased: (attempt: LeasedAttempt) => void;
  /** An intent is about to be written for a subscription. */
  readonly intending: (subscription: string) => void;
  readonly intended: (merchantUid: string) => void;
  /** An attempt became paid by a payment of this id. */
  readonly settled: (merchantUid: string, impUid: string | undefined) => void;
  /** An attempt was given up for dead, and no send of it is held to be unanswered. */
  readonly declined: (merchantUid: string) => void;
  readonly ring: (rings: readonly Ring[]) => void;
  readonly report: SchedulerDeps['report'];
};

const CHANNEL = {
  declinesAreFinal: false,
  timeoutSeconds: TIMEOUT_MS / 1_000,
  horizonSeconds: HORIZON_MS / 1_000,
  quarantineSeconds: QUARANTINE_MS / 1_000,
};
const digests = new Map<string, Uint8Array>();

/** Names attempts as an installation does; the same for every world, so that a digest is made once. */
function hmac(message: string): Uint8Array {
  const known = digests.get(message);
  if (known !== undefined) return known;
  const digest = createHmac('sha256', 'a secret of models').update(message).digest();
  digests.set(message, digest);
  return digest;
}
const INSTALLATION = installationPrefix(hmac);

/** The `merchant_uid` of an attempt, as every process of the installation names it. */
export function nameOf(subscription: string, periodKey: string, number: number): MerchantUid {
  return merchantUid(hmac, INSTALLATION, subscription, periodKey, number);
}

const NO_STOPS: Stops = {
  stop: async () => undefined,
  rest: async () => undefined,
  lift: async () => undefined,
  standingAgainst: async () => null,
  watch: () => () => null,
};

/** What a worker is given for one unit of work: the real flows over rows in memory, every call of them parked. */
export function workerDeps(around: Surroundings, actor: Actor, skewMs: number): WorkerDeps {
  const { plan, stage } = around;
  const clock = hostClock(stage, skewMs);
  const store = storeOf(around, actor);
  return {
    store,
    gateway: gatewayOf(around, actor),
    clock,
    report: around.report,
    channel: () => CHANNEL,
    merchantUid: nameOf,
    leaseSeconds: 90,
    policyVersions: { default: POLICY_VERSION },
    maxAmountMinor: () => null,
    sandbox: true,
    needsAdoption: false,
    fingerprint: FINGERPRINT,
    failpoints: failpointsOf(around, actor),
    brake: plan.audited
      ? unknownShareBrake({ store, stops: NO_STOPS, clock, maxUnknownShare: 0.2 })
      : { ...NO_STOPS, check: async () => ({ kind: 'clear', stoppedSince: () => null }) },
  };
}

/** What a scheduler is given for one pass. */
export function schedulerDeps(around: Surroundings, actor: Actor): SchedulerDeps {
  const { plan, stage, ring, report } = around;
  return {
    store: storeOf(around, actor),
    gateway: gatewayOf(around, actor),
    ring: (rings) => stage.call(actor, `queue ${rings.length} rings`, 'queue', () => ring(rings)),
    report,
    clock: hostClock(stage, 0),
    failpoints: failpointsOf(around, actor),
    hmac,
    installation: INSTALLATION,
    catchUp: 'latest',
    policyVersions: { default: POLICY_VERSION },
    reRingSeconds: 120,
    room: async () => 10_000,
    sandbox: true,
    channel: () => CHANNEL,
    refundDuplicates: plan.refundDuplicates,
  };
}

/** The store as this actor's connection to it. */
export function storeOf(around: Surroundings, actor: Actor) {
  const { tables, stage, leased, intending, intended, settled, declined } = around;
  const carry: Carry = (name, statement) => stage.call(actor, name, 'store', () => tables.statement(statement));
  const store = memoryStore(tables, carry);
  return {
    ...store,
    lease: async (...args: Parameters<typeof store.lease>) => {
      const attempt = await store.lease(...args);
      if (attempt !== null) leased(attempt);
      return attempt;
    },
    // One at a time: an actor waits for one thing, and this pass would ask for many side by side.
    claimWatched: () => store.claimWatched(1),
    writeIntent: (...args: Parameters<typeof store.writeIntent>) => {
      const [attempt] = args;
      intending(attempt.subscription.id);
      return stage.call(actor, 'writeIntent', 'store', () => {
        const intent = tables.statement(() => writeIntent(tables, ...args));
        if (intent.kind === 'sent') {
          actor.intendedAtMs = tables.nowMs;
          intended(attempt.merchantUid);
        }
        return intent;
      });
    },
    record: (...args: Parameters<typeof store.record>) => {
      const [{ merchantUid }, { attempt }] = args;
      return stage.call(actor, `record ${attempt.state}`, 'store', () => {
        const stands = tables.statement(() => record(tables, ...args));
        if (stands && attempt.state === 'paid') settled(merchantUid, attempt.impUid);
        // What stays declined while its invoice goes on keeps what was said when it was given up.
        const [row] = tables.attempts.where((known) => known.merchant_uid === merchantUid);
        if (stands && DEAD.has(attempt.state) && row?.unanswered_at === null) declined(merchantUid);
        return stands;
      });
    },
  };
}

const DEAD: ReadonlySet<string> = new Set(['declined', 'rejected']);

/** The gateway as this actor reaches it. Whether it reaches another account's books is settled once for its work. */
export function gatewayOf({ gateway, stage, faults }: Surroundings, actor: Actor): Gateway {
  const lies = faults.liesThroughout(stage.nowMs);
  return {
    ready: (options) => stage.call(actor, 'getToken', 'gateway', () => gateway.ready(options?.refresh === true)),
    charge: (request: ChargeRequest, _timeoutMs, mayStart) =>
      mayStart() // asked before the call is parked: what befalls it there is what comes between this and the last byte
        ? stage.call(actor, `POST ${request.merchantUid}`, 'post', () =>
            gateway.charge(request, stage.nowMs - actor.intendedAtMs),
          )
        : Promise.resolve({ kind: 'not-sent', reason: 'too late to begin' }),
    lookUp: (merchantUid) =>
      stage.call(actor, `look up ${merchantUid}`, 'gateway', () => gateway.lookUp(merchantUid, lies)),
    billingKey: (customerUid) =>
      stage.call(actor, `ask for ${customerUid}`, 'gateway', () => ({ kind: 'found', sandbox: true, ...NO_CARD })),
    cancel: async () => ({ kind: 'not-sent', reason: 'nobody gives anything back here' }),
    payments: async () => ({ kind: 'unclear', reason: 'nobody audits here' }),
    schedules: () => stage.call(actor, 'ask for schedules', 'gateway', () => ({ kind: 'whole', count: 0 })),
    payment: async () => ({ kind: 'unclear', reason: 'nobody gives anything back here' }),
    close: async () => undefined,
  };
}

const NO_CARD = { pgProvider: null, cardName: null, cardNumberMasked: null };

function failpointsOf({ stage, faults }: Surroundings, actor: Actor): Failpoints {
  return {
    at: async (name) => {
      // The call itself is parked while its answer is on the way; an actor waits for one thing at a time.
      if (name === 'charge.in_flight') return;
      const trouble = faults.at(name);
      if (trouble.kind === 'none') return;
      await stage.call<string>(actor, `failpoint ${name}`, 'failpoint', () => {
        if (trouble.kind === 'error') throw new Error(trouble.says);
        return trouble.kind === 'crash' ? DIES : new Delayed<string>('goes on', trouble.ms);
      });
    },
  };
}

/** What a failpoint answers when its process is to end there. */
export const DIES = 'dies';

/** A host whose wall clock is off by `skewMs`. */
function hostClock(stage: Stage, skewMs: number): Clock {
  return { nowMs: () => stage.nowMs + skewMs, monotonicMs: () => stage.nowMs, after: () => () => undefined };
}
