import { expect, test } from '@jest/globals';
import { FenceError, InputError } from '../../src/billing/errors.ts';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { markPaid } from '../../src/operator/mark-paid.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { refundInvoice } from '../../src/operator/refund.ts';
import { auditIfDue } from '../../src/scheduler/audit-turn.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { stopSending } from '../../src/store/control.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { resumeSending } from '../../src/store/sending-alarms.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { type Chance, chanceFor } from '../fault/model/chance.ts';
import { type Assumed, UnrulyGateway } from '../support/unruly-gateway.ts';
import { CHANNEL, FINGERPRINT, newWorld, type World } from '../support/world.ts';

const SAID = { actor: 'cli:kim', reason: 'somebody said so' };
const SUBSCRIPTIONS = Array.from({ length: 20 }, (_, index) => `sub-${index}`);

// Two hundred subscriptions in ten worlds: people order what they like, while the gateway does what it likes.
test.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'whatever people order and the gateway does, every period is charged once or left for a reason (seed %i)',
  async (seed) => {
    const chance = chanceFor(seed, 'unruly');
    const world = await newWorld();
    try {
      expect(await play(world, chance, seed % 2 === 0 ? 'G1' : 'G2')).toEqual([]);
    } finally {
      await world.end();
    }
  },
  120_000,
);

async function play(world: World, chance: Chance, assumed: Assumed): Promise<string[]> {
  Object.assign(world.scheduler, { refundDuplicates: chance.pick(['auto', 'propose'] as const) });
  await follow(world, { ...POLICY, end: chance.pick(['unpaid', 'pause', 'cancel', 'write_off'] as const) });
  await world.subscribe({ externalId: 'canary' });
  await world.run();
  for (const externalId of SUBSCRIPTIONS) await world.subscribe({ externalId, interval: 'year' });
  const gateway = new UnrulyGateway(world, chance, assumed, () => order(world, chance));
  const wrong: string[] = [];
  const pass = async () => {
    gateway.land();
    await world.run();
    await lateWatch(world.scheduler);
    await refundDue(world.refunder);
    await auditIfDue(world.audits, world.now.minus({ years: 1 }));
    wrong.push(...doubles(world));
  };
  for (let passes = 0; passes < 40; passes += 1) {
    await pass();
    for (let orders = chance.below(6); orders > 0; orders -= 1) await order(world, chance);
    await world.advance({ minutes: chance.pick([1, 2, 10, 10, 30, 60, 60, 360, 720]) });
  }
  gateway.calm();
  Object.assign(world.worker, { maxAmountMinor: () => null });
  await resumeSending(world.database.db, SAID);
  for (let passes = 0; passes < 40; passes += 1) {
    await pass();
    await world.advance({ hours: 9 });
  }
  return [...new Set([...wrong, ...(await leftOver(world)), ...(await untimely(world))])];
}

const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3],
  minGapHours: 24,
  waitForCardDays: 2,
  classes: { card: { retryAfterDays: [], card: 'other' } },
  steps: [
    { name: 'told', afterDays: 0 },
    { name: 'warned', afterDays: 2 },
    { name: 'locked', afterDays: 4, access: 'suspended' },
  ],
};

async function follow(world: World, policy: DunningPolicy): Promise<void> {
  await keepPolicyVersion(world.database.db, 'unruly', policy);
  for (const flow of [world.worker, world.scheduler]) Object.assign(flow, { policyVersions: { default: 'unruly' } });
}

const deps = ({ database: { db }, gateway }: World) => ({
  db,
  gateway,
  fingerprint: FINGERPRINT,
  channel: () => CHANNEL,
  sandbox: true,
  needsAdoption: false,
  versions: { default: 'test' },
});

/** One thing that a person does; what is refused is refused. */
async function order(world: World, chance: Chance): Promise<void> {
  try {
    await orderSomething(world, chance);
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FenceError)) throw error;
  }
}

async function orderSomething(world: World, chance: Chance): Promise<void> {
  const { db } = world.database;
  const externalId = chance.pick(SUBSCRIPTIONS);
  const found = await db.invoice.findFirst({ where: { subscription: { external_id: externalId } } });
  if (found === null) return;
  const id = parseInvoiceId(found.id);
  const [capture] = capturesOf(world, externalId);
  const doings = {
    pause: () => orderSubscription(deps(world), externalId, { kind: 'pause' }, SAID),
    cancel: () =>
      chance.hits(0.3) ? orderSubscription(deps(world), externalId, { kind: 'cancel', at: 'now' }, SAID) : null,
    resume: () => orderSubscription(deps(world), externalId, { kind: 'resume', anchor: 'keep' }, SAID),
    card: () => orderCardChange(deps(world), externalId, `card ${chance.below(1_000)} of ${externalId}`, SAID),
    retry: () => orderIntervention(deps(world), id, 'retry', SAID),
    release: () => orderIntervention(deps(world), id, 'release', SAID),
    void: () => (chance.hits(0.1) ? orderIntervention(deps(world), id, 'void', SAID) : Promise.resolve()),
    refund: () => refundInvoice(deps(world), id, { amount: null, impUid: null, ...SAID }),
    mark: () => markPaid(deps(world), id, capture ?? 'imps_none', SAID),
    console: async () => capture !== undefined && chance.hits(0.3) && giveBack(world, capture),
    off: () => stopSending(db, SAID),
    on: () => resumeSending(db, SAID),
    cap: async () => Object.assign(world.worker, { maxAmountMinor: () => (chance.hits(0.5) ? 100 : null) }),
  };
  const names = ['pause', 'resume', 'resume', 'card', 'retry', 'retry', 'release', 'release'] as const;
  await doings[
    chance.pick([...names, 'void', 'refund', 'mark', 'console', 'off', 'on', 'on', 'cap', 'cancel'] as const)
  ]();
}

/** Somebody gives a payment back in the gateway's own console. */
function giveBack({ gateway }: World, impUid: string): void {
  const index = gateway.records.findIndex((record) => record.impUid === impUid);
  const record = gateway.records[index];
  if (record !== undefined)
    gateway.records[index] = { ...record, status: 'cancelled', cancelMinor: record.amount?.minor ?? 0 };
}

/** Payments that are kept, of one subscription. */
function capturesOf({ gateway }: World, externalId: string): string[] {
  const uids = new Set<string>(
    gateway.posts.filter(({ customData }) => customData.includes(`"${externalId}"`)).map((post) => post.merchantUid),
  );
  const kept = gateway.records.filter(
    ({ status, cancelMinor, amount, merchantUid }) =>
      uids.has(merchantUid) && (status === 'paid' || status === 'cancelled') && cancelMinor < (amount?.minor ?? 0),
  );
  return kept.map(({ impUid }) => impUid);
}

function doubles(world: World): string[] {
  return SUBSCRIPTIONS.flatMap((externalId) => {
    const captures = capturesOf(world, externalId);
    return captures.length > 1 ? [`${externalId} was charged twice: ${captures.join(', ')}`] : [];
  });
}

/** Dunning of a subscription that is not charged. */
async function untimely(world: World): Promise<string[]> {
  const told = await world.database.db.outbox.findMany({
    where: { subscription_id: { not: null } },
    orderBy: { id: 'asc' },
  });
  const stopped = new Set<string>();
  const wrong: string[] = [];
  for (const { kind, subscription_id: id } of told) {
    if (id === null) continue;
    if (STOPS.has(kind)) stopped.add(id);
    if (kind === 'subscription.resumed' || kind === 'invoice.retried' || kind === 'invoice.released')
      stopped.delete(id);
    if (DUNNING.has(kind) && stopped.has(id)) wrong.push(`${kind} of a subscription that is not charged`);
  }
  return wrong;
}

const STOPS: ReadonlySet<string> = new Set(['subscription.paused', 'subscription.canceled']);
const DUNNING: ReadonlySet<string> = new Set(['dunning.step_entered', 'invoice.uncollectible']);

/** What nobody would look at any more, or is not as the gateway's books have it. */
async function leftOver(world: World): Promise<string[]> {
  const { db } = world.database;
  const invoices = await db.invoice.findMany({ include: { subscription: true, refunds: true, attempts: true } });
  const wrong = invoices.flatMap(({ state, reason, subscription, refunds }) => {
    const { external_id: externalId } = subscription;
    const kept = capturesOf(world, externalId).length;
    const isPutUp = refunds.some((refund) => refund.state === 'prepared' || refund.state === 'failed');
    const says = `${externalId} is ${state} (${reason}) with ${kept} kept`;
    if (externalId === 'canary') return [];
    if (state === 'open' || state === 'retrying') return [says];
    if (state === 'paid') return kept === 1 ? [] : [says];
    return kept > 0 && state !== 'review' && !isPutUp ? [says] : [];
  });
  const stuck = await db.refund.findMany({ where: { next_at: { not: null } } });
  const missing = SUBSCRIPTIONS.filter(
    (name) => !invoices.some(({ subscription }) => subscription.external_id === name),
  );
  return [
    ...wrong,
    ...stuck.map(({ imp_uid, fail_reason }) => `the refund of ${imp_uid} waits: ${fail_reason}`),
    ...missing,
  ];
}
