import { DateTime } from 'luxon';
import { z } from 'zod';
import { periodAt } from '../../src/billing/calendar.ts';
import { WRITTEN_OFF } from '../../src/billing/invoice.ts';
import type { World } from './world.ts';

/** What must hold of every subscription and its invoices after a day on which nobody orders and the gateway answers. */
export async function brokenRules(world: World, endsAfter: (externalId: string) => number | null): Promise<string[]> {
  const subscriptions = await read(world);
  const was = await pastOf(world);
  const resumed = await world.database.db.outbox.findMany({ where: { kind: 'subscription.resumed' } });
  const wasPaused = new Set(resumed.map(({ subscription_id: id }) => id));
  return subscriptions.flatMap((subscription) => {
    const says = `${subscription.external_id} (${subscription.status}, ${subscription.access})`;
    const wrong = [
      ...collected(subscription, world.now),
      ...standing(subscription, was),
      ...tooMany(subscription, endsAfter(subscription.external_id)),
      ...gaps(subscription, wasPaused.has(subscription.id)),
      ...ending(subscription, world.now),
    ];
    return wrong.map((what) => `${says}: ${what}`);
  });
}

/** Missed periods of one customer are charged a day apart. */
export async function tooClose(world: World): Promise<string[]> {
  const rows = await world.database.db.attempt.findMany({
    where: { invoice: { spaced: true }, first_sent_at: { not: null } },
    include: { invoice: { include: { subscription: true } } },
    orderBy: { first_sent_at: 'asc' },
  });
  const last = new Map<string, Date>();
  return rows.flatMap(({ first_sent_at: at, merchant_uid: uid, invoice }) => {
    const { customer_id: customer } = invoice.subscription;
    const before = last.get(customer);
    if (at === null) return [];
    last.set(customer, at);
    const isApart = before === undefined || at.getTime() - before.getTime() >= DAY_MS;
    return isApart ? [] : [`${uid} was sent at ${at.toISOString()}, after ${before.toISOString()}`];
  });
}

type Subscription = Awaited<ReturnType<typeof read>>[number];
type Invoice = Subscription['invoices'][number];

function read({ database: { db } }: World) {
  const attempts = { orderBy: { number: 'asc' } } as const;
  const invoices = { orderBy: { period_start: 'asc' }, include: { attempts, policy_version: true } } as const;
  return db.subscription.findMany({ include: { invoices }, orderBy: { external_id: 'asc' } });
}

/** The states in which each invoice was before; `written_off` among them, where it was given up that way. */
type Past = ReadonlyMap<string, ReadonlySet<string | null>>;

async function pastOf({ database: { db } }: World): Promise<Past> {
  const past = new Map<string, Set<string | null>>();
  for (const { entity_id: id, from_state: from, reason } of await db.history.findMany({
    where: { entity: 'invoice' },
  })) {
    const states = past.get(id) ?? new Set();
    past.set(id, states.add(from));
    if (reason === WRITTEN_OFF) states.add(WRITTEN_OFF);
  }
  return past;
}

/** Somebody looks at what is collected again, and at nothing of what is not charged. */
function collected({ status, invoices }: Subscription, now: DateTime): string[] {
  return invoices.flatMap((invoice) => {
    const { period_key: period, state, reason, next_at: nextAt } = invoice;
    const says = `${period} is ${state} (${reason}), next ${nextAt?.toISOString()} at ${now.toISO()}`;
    const isCollected = COLLECTED.has(state);
    if (isCollected && (nextAt === null || DateTime.fromJSDate(nextAt) < now.minus({ hours: 1 }))) return [says];
    if (isUnderWay(invoice)) return [];
    if (status === 'canceled' && (isCollected || state === 'held')) return [`canceled, ${says}`];
    return isCollected && !LIVE.has(status) ? [`not charged, ${says}`] : [];
  });
}

/** Status and access follow from what is owed. */
function standing(subscription: Subscription, was: Past): string[] {
  const { status, access, invoices } = subscription;
  const givenUp = invoices.filter(({ state, reason }) => state === 'uncollectible' && reason !== WRITTEN_OFF);
  const isHeld = givenUp.some((invoice) => policyOf(invoice).later !== 'accumulate');
  const isOver = isHeld && !invoices.some(({ state }) => COLLECTED.has(state));
  const owed = invoices.filter(({ state, failures }) => failures > 0 && OWED.has(state));
  const wrong: string[] = [];
  if (isOver && LIVE.has(status)) wrong.push(`${givenUp[0]?.period_key} was given up, and nothing else is collected`);
  const isOwing = status === 'past_due' || status === 'unpaid';
  if (isOwing && owed.length + givenUp.length === 0) wrong.push('owes nothing');
  // What was paid and came back is a person's to judge, and what was written off is not owed any more: no payer is late with that.
  const isForgiven = ({ id }: Invoice) => was.get(id)?.has('paid') === true || was.get(id)?.has(WRITTEN_OFF) === true;
  const late = [...owed.filter((invoice) => !isForgiven(invoice)), ...givenUp];
  if (status === 'active' && late.length > 0) wrong.push(`active, and owes ${late.map(shown).join(', ')}`);
  const rightful = accessesOf(subscription, owed, was);
  if (!rightful.includes(access))
    wrong.push(`access is to be ${rightful.join(' or ')}: ${invoices.map(shown).join(', ')}`);
  return wrong;
}

/**
 * As docs/states.md has it. What was given up and is tried again, or was refused for the merchant's account after a step had
 * taken access away, gives none back before it is paid; and such a refusal need not take any, nor what is declined after it,
 * nor a payment that somebody gave back elsewhere, which a person is told of. What was declined this minute and has entered no
 * step changes nothing of a subscription that is past due already.
 */
function accessesOf({ status, invoices }: Subscription, owed: readonly Invoice[], was: Past): readonly string[] {
  if (status === 'active' || status === 'trialing') return ['full'];
  if (status !== 'past_due') return ['suspended'];
  if (invoices.some(({ state, reason }) => state === 'uncollectible' && reason !== WRITTEN_OFF)) return ['suspended'];
  const payers = owed.filter(({ attempts }) => !attempts.some((attempt) => attempt.decline_class === 'config'));
  const isKept = payers.length < owed.length || owed.some(({ id }) => was.get(id)?.has('uncollectible') === true);
  const neverPaid = payers.filter(({ id }) => was.get(id)?.has('paid') !== true);
  const told = owed.filter(({ entered_steps: steps }) => steps.length > 0);
  return [...[owed, payers, neverPaid, told].map(strictest), ...(isKept ? ['suspended'] : [])];
}

function strictest(owed: readonly Invoice[]): string {
  const left = owed.map((invoice) => accessLeft(invoice));
  return STRICTEST.find((access) => left.includes(access)) ?? 'grace';
}

/** As the steps that it has entered left it, whatever it was declined for since. */
function accessLeft(invoice: Invoice): (typeof STRICTEST)[number] {
  return STRICTEST.find((access) => access === invoice.step_access) ?? 'grace';
}

function tooMany({ invoices }: Subscription, agreed: number | null): string[] {
  return agreed !== null && invoices.length > agreed ? [`${invoices.length} periods instead of ${agreed}`] : [];
}

/** One period after the other: never two at once, and a gap by a pause alone. */
function gaps({ invoices }: Subscription, wasPaused: boolean): string[] {
  return invoices.flatMap(({ period_key: key, period_start: start }, index) => {
    const end = invoices[index - 1]?.period_end ?? start;
    const follows = wasPaused ? start >= end : start.getTime() === end.getTime();
    return follows ? [] : [`${key} does not follow the one before`];
  });
}

/** What is to end has ended, once nothing of it is collected or waits for a person. */
function ending(subscription: Subscription, now: DateTime): string[] {
  const { status, invoices, cancel_at: cancelsAt, ends_after: endsAfter } = subscription;
  const { first_period: first, next_period: next } = subscription;
  const isStopped = status === 'unpaid' || status === 'paused';
  const isOver = cancelsAt !== null || (endsAfter !== null && next >= first + endsAfter && !isStopped);
  const schedule = {
    anchorLocal: subscription.anchor_local,
    timezone: subscription.timezone,
    interval: subscription.interval === 'day' ? ('day' as const) : ('week' as const),
    intervalCount: subscription.interval_count,
  };
  const endedAt = periodAt(schedule, next).startAt;
  const settledAt = Math.max(...invoices.map((invoice) => invoice.updated_at.getTime()));
  if (settledAt > now.minus({ minutes: 65 }).toMillis()) return []; // it is looked at again within the hour
  if (!isOver || status === 'canceled' || endedAt > now.minus({ hours: 2 })) return [];
  const isWaiting = invoices.some(({ state }) => COLLECTED.has(state) || state === 'held' || state === 'review');
  return isWaiting ? [] : [`was to end at ${endedAt.toISO()}`];
}

function isUnderWay({ attempts }: Invoice): boolean {
  return attempts.some(({ state }) => UNDER_WAY.has(state));
}

function shown({ period_key: period, state, reason, entered_steps: steps }: Invoice): string {
  return `${period} ${state} ${reason} after ${steps.length} steps`;
}

function policyOf({ policy_version: { policy } }: Invoice) {
  return policySchema.parse(policy);
}

const policySchema = z.object({
  later: z.string().optional(),
  steps: z.array(z.object({ access: z.enum(['full', 'grace', 'suspended']).optional() })).default([]),
});
const STRICTEST = ['suspended', 'grace', 'full'] as const;
const COLLECTED: ReadonlySet<string> = new Set(['open', 'retrying']);
const OWED: ReadonlySet<string> = new Set(['retrying', 'review', 'held']);
const UNDER_WAY: ReadonlySet<string> = new Set(['sent', 'unknown', 'paid', 'review']);
const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
const DAY_MS = 86_400_000;
