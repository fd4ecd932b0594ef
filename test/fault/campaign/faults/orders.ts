import { pause, systemClock } from '../../../../src/clock.ts';
import type { World } from '../world.ts';

/** A subscription with an invoice, as somebody looks at it before giving an order. */
type Chosen = {
  readonly subscription: string;
  readonly customer_uid: string;
  readonly invoice: string;
  readonly period_key: string;
};

/** People's orders about some subscriptions at once, over the console and by the command line. */
export async function giveOrders(world: World): Promise<void> {
  const chosen = await world.postgres.query<Chosen>(CHOSEN, [AT_ONCE]);
  await Promise.all(chosen.map((one) => giveOrder(world, one)));
}

/** Every pause comes to its end, whoever asked for it: a subscription that stays paused owes nothing. */
export async function resumeAll(world: World): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const paused = await world.postgres.query<{ subscription: string }>(PAUSED);
    if (paused.length === 0) return;
    if (tries > TRIES) throw new Error('paused subscriptions cannot be resumed: see logs/console-1.log');
    await Promise.all(paused.map(({ subscription }) => resume(world, subscription)));
    await pause(systemClock, AGAIN_MS);
  }
}

async function giveOrder(world: World, { subscription, customer_uid, invoice, period_key }: Chosen): Promise<void> {
  const { chance, orders, console, fleet, tally } = world;
  const kind = chance.weighed(ORDERS);
  tally.add('people', kind);
  const byConsole = (name: string, body: Readonly<Record<string, string>> = {}) =>
    orders.give(kind, subscription, () => console.order(subscription, name, { ...body, reason: REASON }));
  const byCommand = (name: 'retry' | 'void') =>
    orders.give(name, `${subscription} ${period_key}`, async () => {
      return (await fleet.command([name, invoice, '--reason', REASON])) === 0;
    });
  switch (kind) {
    case 'cancel':
      return void (await byConsole('cancel', { at: 'now' }));
    case 'cancel at period end':
      return void (await byConsole('cancel', { at: 'period_end' }));
    case 'pause':
      await byConsole('pause');
      await pause(systemClock, chance.between(200, 2_000));
      return resume(world, subscription);
    case 'change card': // another card behind the same name
      return void (await byConsole('change-card', { customer_uid }));
    case 'retry':
    case 'void':
      return void (await byCommand(kind));
  }
}

async function resume({ orders, console, tally }: World, subscription: string): Promise<void> {
  tally.add('people', 'resume');
  await orders.give('resume', subscription, () => console.order(subscription, 'resume', { reason: REASON }));
}

/** What ends a charge is ordered rarely, so that most of them succeed. */
const ORDERS = [
  ['pause', 6],
  ['change card', 4],
  ['retry', 3],
  ['cancel at period end', 2],
  ['cancel', 1],
  ['void', 1],
] as const;
const REASON = 'the customer called';
const AT_ONCE = 3;
const TRIES = 60;
const AGAIN_MS = 500;

/** Mostly such as are collected now; a paid one now and then. */
const CHOSEN = `
  SELECT s.external_id AS subscription, k.customer_uid, i.id AS invoice, i.period_key
    FROM invoice i JOIN subscription s ON s.id = i.subscription_id JOIN billing_key k ON k.id = s.billing_key_id
   WHERE s.status <> 'canceled'
   ORDER BY i.state IN ('paid', 'refunded', 'void') AND random() < 0.95, random() LIMIT $1`;
const PAUSED = `SELECT external_id AS subscription FROM subscription WHERE status = 'paused'`;
