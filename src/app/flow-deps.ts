import type { App } from '../app.ts';
import { merchantUid } from '../billing/ids.ts';
import type { Channel, Config } from '../config/config.ts';
import type { InboundDeps } from '../inbound/follow-hints.ts';
import type { AuditDeps } from '../scheduler/audit-tally.ts';
import type { ClockWatchDeps } from '../scheduler/clock-watch.ts';
import type { SchedulerDeps } from '../scheduler/deps.ts';
import type { LoopDeps } from '../scheduler/loop.ts';
import { roomInQueue } from '../scheduler/room.ts';
import { firstTick } from '../scheduler/schedule.ts';
import { auditStore } from '../store/audit-store.ts';
import { stopStore } from '../store/channel-stops.ts';
import { chargeStore } from '../store/charge-store.ts';

import type { Ring } from '../store/due.ts';
import { hintStore } from '../store/hints.ts';
import { refundStore } from '../store/refund-store.ts';
import { scheduleStore } from '../store/schedule-store.ts';
import { watchClock } from '../store/sending-alarms.ts';
import { unknownShareBrake } from '../worker/brake.ts';
import type { RefundDeps, WorkerDeps } from '../worker/deps.ts';
import { sharedStops } from '../worker/stops.ts';
import { beforeDeps } from './before-deps.ts';
import { watchFence } from './fence-watch.ts';

/** Takes what a scheduler finds: the queue, or a worker at hand. */
type Doorbell = {
  readonly ring: (rings: readonly Ring[]) => Promise<void>;
  /** Jobs that nobody has taken yet; left out where each is worked on before `ring` returns. */
  readonly waiting?: () => Promise<number>;
};

/** What the scheduler needs. */
export function schedulerDeps(app: App, { ring, waiting }: Doorbell): SchedulerDeps {
  const { db, gateway, report, clock, hmac, installation, config, failpoints } = app;
  const { catchUp, refundDuplicates, mode } = config;
  const { reRingSeconds } = config.limits;
  return {
    store: scheduleStore(db),
    ...{
      ring,
      gateway,
      report,
      clock,
      hmac,
      installation,
      failpoints,
      catchUp,
      firstTick: firstTick(config),
      refundDuplicates,
      policyVersions: policyVersions(config),
      reRingSeconds,
    },
    ...(waiting === undefined ? {} : { room: roomInQueue({ waiting, clock, report }) }),
    sandbox: mode === 'test',
    channel: (name) => channelOf(config, name),
  };
}

/** What a scheduler's loop needs. */
export function loopDeps(app: App, doorbell: Doorbell): LoopDeps {
  const { db, identity, clock } = app;
  return {
    passes: schedulerDeps(app, doorbell),
    audits: auditDeps(app),
    clocks: clockWatchDeps(app),
    fence: watchFence(db, identity, clock),
  };
}

/** What an audit needs. */
export function auditDeps(app: App): AuditDeps {
  const { db, gateway, report, clock, installation, config, failpoints } = app;
  const horizonSeconds = Math.max(...Object.values(config.channels).map((channel) => channel.horizonSeconds));
  const parts = { gateway, report, clock, failpoints, installation, horizonSeconds };
  return { ...parts, store: auditStore(db), sandbox: config.mode === 'test' };
}

/** What the watch over the database's clock needs. */
export function clockWatchDeps({ db, report }: App): ClockWatchDeps {
  return { watchClock: (toleranceSeconds) => watchClock(db, toleranceSeconds), report };
}

/** What the worker needs. */
export function workerDeps(app: App): WorkerDeps {
  const { db, gateway, clock, report, config, identity, failpoints, hmac, installation } = app;
  const store = chargeStore(db);
  const { maxUnknownShare } = config.limits;
  return {
    store,
    ...identity,
    failpoints,
    brake: unknownShareBrake({ store, stops: sharedStops(stopStore(db), clock), clock, maxUnknownShare }),
    gateway,
    clock,
    report,
    channel: (name) => channelOf(config, name),
    merchantUid: (...of) => merchantUid(hmac, installation, ...of),
    leaseSeconds: config.limits.leaseSeconds,
    policyVersions: policyVersions(config),
    maxAmountMinor: (currency) => config.limits.maxAmount?.[currency] ?? null,
    sandbox: config.mode === 'test',
    ...(config.hooks.beforeCharge.length === 0 ? {} : { before: beforeDeps(app, (name) => channelOf(config, name)) }),
  };
}

/** What a worker needs to refund. */
export function refundDeps(app: App): RefundDeps {
  return { ...workerDeps(app), store: refundStore(app.db) };
}

/** What following hints needs. */
export function inboundDeps({ db, identity, gateway, clock, report, failpoints }: App): InboundDeps {
  const store = hintStore(db, identity.fingerprint);
  return { store, lookUp: (merchantUid) => gateway.lookUp(merchantUid), clock, report, failpoints };
}

/** The version in force of each policy, by name. */
export function policyVersions({ policies }: Config): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, policy.version]));
}

/** The channel of this name, else the default one. */
export function channelOf({ channels }: Config, name: string): Channel {
  const channel = channels[name] ?? channels.default;
  if (channel === undefined) throw new Error('the configuration has no default channel');
  return channel;
}
