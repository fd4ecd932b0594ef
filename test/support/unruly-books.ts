import { z } from 'zod';
import type { FakeGateway } from './fake-gateway.ts';
import type { World } from './world.ts';

const named = z.object({ subscription: z.string(), period: z.string() });

/** Payments that the gateway's books keep, by subscription and period: `sub-1 2027-01-31`. */
export function keptOf({ posts, records }: FakeGateway): ReadonlyMap<string, readonly string[]> {
  const periods = new Map<string, string>();
  for (const { merchantUid, customData } of posts) {
    const { subscription, period } = named.parse(JSON.parse(customData));
    periods.set(merchantUid, `${subscription} ${period}`);
  }
  const kept = new Map<string, string[]>();
  for (const { impUid, merchantUid, status, cancelMinor, amount } of records) {
    if ((status !== 'paid' && status !== 'cancelled') || cancelMinor >= (amount?.minor ?? 0)) continue;
    const period = periods.get(merchantUid) ?? merchantUid;
    kept.set(period, [...(kept.get(period) ?? []), impUid]);
  }
  return kept;
}

/** Periods that were charged more than once. */
export function doubles(gateway: FakeGateway): string[] {
  return [...keptOf(gateway)].flatMap(([period, kept]) =>
    kept.length > 1 ? [`${period} was charged twice: ${kept.join(', ')}`] : [],
  );
}

/** What is not as the gateway's books have it, once all that was to land has landed. */
export async function leftOver({ database: { db }, gateway }: World): Promise<string[]> {
  const invoices = await db.invoice.findMany({ include: { subscription: true, refunds: true } });
  const books = keptOf(gateway);
  const wrong = invoices.flatMap(({ state, reason, period_key: period, subscription, refunds }) => {
    const name = `${subscription.external_id} ${period}`;
    const kept = books.get(name)?.length ?? 0;
    const isPutUp = refunds.some((refund) => refund.state === 'prepared' || refund.state === 'failed');
    const isAsBooked = state === 'paid' ? kept === 1 : kept === 0 || state === 'review' || isPutUp;
    return isAsBooked ? [] : [`${name} is ${state} (${reason}) with ${kept} kept`];
  });
  const known = new Set(
    invoices.map(({ period_key: period, subscription }) => `${subscription.external_id} ${period}`),
  );
  const lost = [...books.keys()].filter((name) => !known.has(name)).map((name) => `${name} is in no invoice`);
  const stuck = await db.refund.findMany({ where: { next_at: { not: null } } });
  return [
    ...wrong,
    ...lost,
    ...stuck.map(({ imp_uid, fail_reason }) => `the refund of ${imp_uid} waits: ${fail_reason}`),
  ];
}

/** Dunning of a subscription that is not charged; how a charge ends that was on its way is told all the same. */
export async function untimely({ database: { db } }: World): Promise<string[]> {
  const told = await db.outbox.findMany({ where: { subscription_id: { not: null } }, orderBy: { id: 'asc' } });
  const stopped = new Set<string>();
  return told.flatMap(({ kind, subscription_id: id, invoice_id: invoice }, index) => {
    if (id === null) return [];
    if (kind === 'subscription.paused' || kind === 'subscription.canceled') stopped.add(id);
    if (kind === 'subscription.resumed') stopped.delete(id);
    if (!DUNNING.has(kind) || !stopped.has(id)) return [];
    const before = told.slice(0, index).findLast(({ invoice_id: of }) => of === invoice);
    const isOnItsWay = kind === 'invoice.uncollectible' && before?.kind === 'charge.failed';
    return isOnItsWay ? [] : [`${kind} of a subscription that is not charged`];
  });
}

const DUNNING: ReadonlySet<string> = new Set(['dunning.step_entered', 'invoice.uncollectible']);
