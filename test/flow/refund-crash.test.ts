import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { Crash, crashingRefund } from '../support/crashing.ts';
import type { CancelBehaviour } from '../support/fake-gateway.ts';
import { refundRow, wantRefund } from '../support/refunds.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

/** More effects than any refund has, so that the last crash points lie past its end. */
const EFFECTS = Array.from({ length: 12 }, (_, at) => at);

/** One refund for each effect at which its worker dies. */
describe.each(['cancel', 'cancel-silently', 'refuse', 'unauthorized', 'refuse-connection'] as const)(
  'where the gateway would %s',
  (behaviour) => {
    test.each(['before', 'after'] as const)('a crash %s any effect gives back once and loses nothing', async (when) => {
      const wanted = await refunds();
      for (const at of EFFECTS) {
        world.gateway.cancelBehaviours = [behaviour satisfies CancelBehaviour];
        const dying = crashingRefund({ deps: world.refunder, db: world.database.db }, at, when);
        const end = await refundDue(dying.deps, { only: [wanted[at] ?? ''] }).catch((error: unknown) => error);
        expect(typeof end === 'number' || end instanceof Crash).toBe(true);
      }
      world.gateway.cancelBehaviours = [];
      await recover();
      for (const [at, id] of wanted.entries()) {
        const refund = await refundRow(world, id);
        expect({ at, state: refund.state, reason: refund.fail_reason }).toEqual({ at, state: 'done', reason: null });
        const record = world.gateway.records.find(({ impUid }) => impUid === refund.imp_uid);
        expect(record?.cancelMinor).toBe(at % 2 === 0 ? 9_900 : 3_000);
        const posted = world.gateway.cancels.filter(({ impUid }) => impUid === refund.imp_uid).length;
        expect(posted).toBeLessThanOrEqual(refund.send_count);
        expect((await invoiceOf(world, nameOf(at))).state).toBe(at % 2 === 0 ? 'refunded' : 'paid');
      }
      expect(await world.database.db.outbox.count({ where: { kind: 'refund.succeeded' } })).toBe(EFFECTS.length);
    });
  },
);

test('the list of effects covers a whole refund', async () => {
  await refunds();
  const whole = crashingRefund({ deps: world.refunder, db: world.database.db }, 99, 'before');
  world.gateway.cancelBehaviours = ['refuse'];
  await refundDue(whole.deps, { only: [(await world.database.db.refund.findFirstOrThrow()).id] });
  expect(whole.effects().filter((name) => name === 'cancel')).toHaveLength(1);
  expect(whole.effects().length).toBeGreaterThan(8);
  expect(whole.effects().length).toBeLessThanOrEqual(EFFECTS.length);
});

/** Paid invoices with a refund each that is due: whole ones, and parts in between. */
async function refunds(): Promise<string[]> {
  for (const at of EFFECTS) await world.subscribe({ externalId: nameOf(at) });
  await world.run();
  const ids: string[] = [];
  for (const at of EFFECTS) {
    ids.push(await wantRefund(world, nameOf(at), at % 2 === 0 ? {} : { amount: 3_000 }));
  }
  return ids;
}

function nameOf(at: number): string {
  return `dies at effect ${at}`;
}

/** Another process comes, leases end by the clock, and the ladder of looks goes its way for an hour. */
async function recover(): Promise<void> {
  for (const seconds of [0, 91, 5, 10, 30, 120, 300, 600, 1_200, 1_300, 600]) {
    await world.advance({ seconds });
    await refundDue(world.refunder);
    await accountCaptures(world.scheduler);
  }
}
