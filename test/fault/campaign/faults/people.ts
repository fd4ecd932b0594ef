import { pause, systemClock } from '../../../../src/clock.ts';
import { FAILPOINTS } from '../../../../src/failpoints.ts';
import { TIMES } from '../demands.ts';
import type { FaultClass, World } from '../world.ts';
import { giveOrders, resumeAll } from './orders.ts';

/**
 * Operators at work: they give orders about subscriptions and invoices, give money back, compare the books, have the queue
 * filled anew, stop all charges for a while.
 */
export const people: FaultClass = {
  name: 'people',
  strike: async (world) => {
    const deed = world.chance.weighed([
      ['orders', 9],
      ['refund', isRare(world, 'refund.') ? 30 : 6],
      ['reconcile', isRare(world, 'audit.') ? 15 : 2],
      ['rebuild-queue', 1],
      ['send off', 1],
    ] as const);
    if (deed !== 'orders') world.tally.add('people', deed);
    switch (deed) {
      case 'orders':
        return giveOrders(world);
      case 'refund':
        return refund(world);
      case 'reconcile':
        await world.fleet.command(['reconcile', '--from', dayBefore(world.clock.nowMs())]);
        return;
      case 'rebuild-queue':
        await world.fleet.command(['rebuild-queue']);
        return;
      case 'send off':
        await world.fleet.command(['send', 'off', '--reason', 'somebody wants to look first']);
        await pause(systemClock, world.chance.between(200, 1_500));
        return sendOn(world);
    }
  },
  end: async (world) => {
    await sendOn(world);
    await resumeAll(world);
  },
};

/** Until it is so: a switch that was left off would be no fault of the program's. */
async function sendOn({ fleet, postgres, sandbox }: World): Promise<void> {
  const direct = { DATABASE_URL: postgres.url, PORTONE_BASE_URL: sandbox.url };
  for (let tries = 1; (await fleet.run(['send', 'on', '--reason', 'looked'], direct)) !== 0; tries += 1) {
    if (tries === TRIES) throw new Error('`maedal send on` fails again and again: see logs/send.log');
  }
}

/** Whether a line on the way of what somebody orders has fired too rarely so far: hardly anything else comes by there. */
function isRare({ plan, fired, tally }: World, prefix: 'refund.' | 'audit.'): boolean {
  if (!plan.classes.includes('failpoint')) return false;
  const now = tally.of('failpoints');
  return FAILPOINTS.some((name) => name.startsWith(prefix) && (fired[name] ?? 0) + (now[name] ?? 0) < TIMES);
}

async function refund({ postgres, fleet, orders }: World): Promise<void> {
  const [invoice] = await postgres.query<{ id: string; key: string }>(PAID);
  if (invoice === undefined) return;
  const command = ['refund', invoice.id, '--reason', 'the customer sent it back'];
  await orders.give('refund', invoice.key, async () => (await fleet.command(command)) === 0);
}

function dayBefore(nowMs: number): string {
  return new Date(nowMs - 86_400_000).toISOString().slice(0, 10);
}

const PAID = `SELECT i.id, s.external_id || ' ' || i.period_key AS key FROM invoice i JOIN subscription s ON s.id = i.subscription_id
  WHERE i.state = 'paid' ORDER BY random() LIMIT 1`;
const TRIES = 20;
