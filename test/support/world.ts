import { createHmac } from 'node:crypto';
import { DateTime, type DurationLike } from 'luxon';
import { periodAt } from '../../src/billing/calendar.ts';
import { installationPrefix, merchantUid } from '../../src/billing/ids.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import type { CatchUp } from '../../src/billing/subscription.ts';
import type { Clock } from '../../src/clock.ts';
import type { BillingEvent } from '../../src/events.ts';
import { noFailpoints } from '../../src/failpoints.ts';
import type { AuditDeps } from '../../src/scheduler/audit-tally.ts';
import type { SchedulerDeps } from '../../src/scheduler/deps.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { auditStore } from '../../src/store/audit-store.ts';
import { chargeStore } from '../../src/store/charge-store.ts';
import type { Ring } from '../../src/store/due.ts';
import { markDatabase } from '../../src/store/fingerprint.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { refundStore } from '../../src/store/refund-store.ts';
import { scheduleStore } from '../../src/store/schedule-store.ts';
import type { RefundDeps, WorkerDeps } from '../../src/worker/deps.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { freshDatabase, type TestDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';

/** The flows over a real database of their own, a gateway that keeps books, and a clock that is moved by hand. */
export type World = {
  readonly database: TestDatabase;
  readonly gateway: FakeGateway;
  readonly events: BillingEvent[];
  readonly scheduler: SchedulerDeps;
  readonly audits: AuditDeps;
  readonly worker: WorkerDeps;
  readonly refunder: RefundDeps;
  now: DateTime;
  advance(by: DurationLike): Promise<void>;
  /** A subscription whose first period starts at the world's first instant, unless told otherwise. */
  subscribe(fields?: Partial<Subscribed>): Promise<string>;
  /** One tick, one sweep, and every job they ring, at the present instant. */
  run(): Promise<void>;
  end(): Promise<void>;
};

type Subscribed = {
  externalId: string;
  customer: string;
  anchorLocal: string;
  interval: 'day' | 'week' | 'month' | 'year';
  status: 'trialing' | 'active';
  nextPeriod: number;
  amount: number;
  endsAfter: number | null;
  createdAt: DateTime;
};

/** The protocol's own times. */
export const CHANNEL = { timeoutSeconds: 60, horizonSeconds: 3_600, quarantineSeconds: 86_400, declinesAreFinal: true };
export const FINGERPRINT = 'the database of a test';
const POLICY: DunningPolicy = { retryAfterDays: [1, 3, 5], minGapHours: 24 };

export async function newWorld(catchUp: CatchUp = 'latest'): Promise<World> {
  const database = await freshDatabase();
  const gateway = new FakeGateway();
  const events: BillingEvent[] = [];
  const rings: Ring[] = [];
  const hmac = (message: string) => createHmac('sha256', 'a secret of tests').update(message).digest();
  const report = (event: BillingEvent) => void events.push(event);
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => undefined };
  const nothing = async () => undefined;
  const db = database.db;
  const scheduler: SchedulerDeps = {
    store: scheduleStore(db),
    gateway,
    failpoints: noFailpoints,
    sandbox: true,
    channel: () => CHANNEL,
    refundDuplicates: 'propose',
    ring: async (added) => void rings.push(...added),
    report,
    clock,
    hmac,
    installation: installationPrefix(hmac),
    catchUp,
    policyVersions: { default: 'test' },
    reRingSeconds: 120,
  };
  const worker: WorkerDeps = {
    store: chargeStore(db),
    failpoints: noFailpoints,
    brake: {
      stop: nothing,
      rest: nothing,
      lift: nothing,
      check: async () => ({ kind: 'clear', stoppedSince: () => null }),
    },
    fingerprint: FINGERPRINT,
    gateway,
    clock,
    report,
    channel: () => CHANNEL,
    merchantUid: (...of) => merchantUid(hmac, installationPrefix(hmac), ...of),
    leaseSeconds: 90,
    policyVersions: { default: 'test' },
    maxAmountMinor: () => null,
    sandbox: true,
    needsAdoption: false,
  };
  await keepPolicyVersion(db, 'test', POLICY);
  await markDatabase(db, FINGERPRINT);
  const world: World = {
    database,
    gateway,
    events,
    scheduler,
    audits: { ...scheduler, ...CHANNEL, store: auditStore(db) },
    worker,
    refunder: { ...worker, store: refundStore(db) },
    now: DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' }),
    advance: async (by) => {
      world.now = world.now.plus(by);
      gateway.readiness = { kind: 'ready', gatewayNowMs: world.now.toMillis() };
      await database.setNow(world.now);
    },
    subscribe: (fields = {}) => subscribe(world, fields),
    run: async () => {
      await tick(world.scheduler);
      await sweep(world.scheduler);
      for (const job of rings.splice(0)) await runJob(world.worker, job);
    },
    end: () => database.drop(),
  };
  await world.advance({});
  return world;
}

async function subscribe(world: World, fields: Partial<Subscribed>): Promise<string> {
  const externalId = fields.externalId ?? `sub-${Math.random().toString(36).slice(2, 10)}`;
  const customer = fields.customer ?? `customer of ${externalId}`;
  const schedule = {
    anchorLocal: fields.anchorLocal ?? '2027-01-31T10:00:00',
    timezone: 'Asia/Seoul',
    interval: fields.interval ?? 'month',
    intervalCount: 1,
  };
  const nextPeriod = fields.nextPeriod ?? 0;
  const dueAt = periodAt(schedule, nextPeriod).startAt.toJSDate();
  const createdAt = (fields.createdAt ?? world.now).toJSDate();
  const { db } = world.database;
  await db.$executeRaw`INSERT INTO customer (external_id) VALUES (${customer}) ON CONFLICT DO NOTHING`;
  await db.$executeRaw`
    INSERT INTO billing_key (customer_id, customer_uid)
    SELECT id, ${`card of ${externalId}`} FROM customer WHERE external_id = ${customer}`;
  await db.$executeRaw`
    INSERT INTO subscription (external_id, customer_id, billing_key_id, name, amount, currency, "interval", interval_count,
                              anchor_local, timezone, status, next_period, next_due_at, ends_after, created_at)
    SELECT ${externalId}, customer_id, id, '원두 구독', ${fields.amount ?? 9_900}, 'KRW', ${schedule.interval}, 1,
           ${schedule.anchorLocal}, ${schedule.timezone}, ${fields.status ?? 'active'}, ${nextPeriod}, ${dueAt}, ${fields.endsAfter ?? null}, ${createdAt}
      FROM billing_key WHERE customer_uid = ${`card of ${externalId}`}`;
  return externalId;
}

/** The invoices of a subscription with their attempts, oldest period first, as far as tests look at them. */
export async function invoicesOf(world: World, externalId: string) {
  return world.database.db.invoice.findMany({
    where: { subscription: { external_id: externalId } },
    orderBy: { period_index: 'asc' },
    include: { attempts: { orderBy: { number: 'asc' } } },
  });
}

/** The only invoice of a subscription. */
export async function invoiceOf(world: World, externalId: string) {
  const [invoice, ...others] = await invoicesOf(world, externalId);
  if (invoice === undefined || others.length > 0)
    throw new Error(`${externalId} has ${others.length + 1} invoices or none`);
  return invoice;
}
