import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditAtBoot, chargeSome, findingsOf } from '../support/audits.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

/** The gateway does not know these any more. */
function forget(uids: readonly string[]): void {
  const { records } = world.gateway;
  const left = records.filter(({ merchantUid }) => !uids.includes(merchantUid));
  records.splice(0, records.length, ...left);
}

describe('what is paid here and not listed there', () => {
  test('goes to review once a look-up beside a canary finds nothing either', async () => {
    const [name = '', other = ''] = await chargeSome(world, 2);
    const { attempts } = await invoiceOf(world, name);
    const at = world.gateway.records.findIndex(({ merchantUid: uid }) => uid === attempts[0]?.merchant_uid);
    world.gateway.records.splice(at, 1);
    expect(await auditAtBoot(world)).toMatchObject({ counts: { missing: 1 }, unclear: null });
    expect(findingsOf(world)).toEqual(['missing']);
    expect(await invoiceOf(world, name)).toMatchObject({
      state: 'review',
      reason: expect.stringMatching(/paid here, and the gateway knows no/),
    });
    expect(await invoiceOf(world, other)).toMatchObject({ state: 'paid' });
  });

  test.each(['found', 'unclear'] as const)(
    'stays paid where the second look-up, after the canary, is %s',
    async (second) => {
      const [name = ''] = await chargeSome(world, 2);
      const [attempt] = (await invoiceOf(world, name)).attempts;
      const at = world.gateway.records.findIndex(({ merchantUid: uid }) => uid === attempt?.merchant_uid);
      const [record] = world.gateway.records.splice(at, 1);
      if (record === undefined) throw new Error('nothing was captured');
      const lookUp = world.gateway.lookUp.bind(world.gateway);
      let times = 0;
      world.gateway.lookUp = async (uid) => {
        if (uid === record.merchantUid) times += 1;
        if (uid !== record.merchantUid || times === 1) return lookUp(uid);
        return second === 'found' ? { kind: 'found', records: [record] } : { kind: 'unclear', reason: 'it is down' };
      };
      expect(await auditAtBoot(world)).toBeNull();
      expect(world.events.at(-1)).toMatchObject({ kind: 'audit.unclear' });
      expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
    },
  );

  test('is believed of none where the gateway shows no canary after it, however many are missing', async () => {
    const names = await chargeSome(world, 3);
    const uids = await Promise.all(
      names.slice(0, 2).map(async (name) => (await invoiceOf(world, name)).attempts[0]?.merchant_uid ?? ''),
    );
    forget(uids);
    const lookUp = world.gateway.lookUp.bind(world.gateway);
    const asked: string[] = [];
    world.gateway.lookUp = async (uid) => {
      asked.push(uid);
      return asked.length > 2 ? { kind: 'absent' } : lookUp(uid); // blind from then on
    };
    expect(await auditAtBoot(world)).toBeNull();
    expect(asked.slice(0, 2).sort()).toEqual([...uids].sort());
    for (const name of names) expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
  });

  test.each([60, 604_800])('is found by daily audits, a horizon of %i seconds later', async (horizonSeconds) => {
    const [name = ''] = await chargeSome(world, 2);
    const [attempt] = (await invoiceOf(world, name)).attempts;
    forget([attempt?.merchant_uid ?? '']);
    Object.assign(world.audits, { horizonSeconds });
    let missing = 0;
    for (let day = 0; day < 10; day += 1) {
      await world.advance({ days: 1 });
      missing += (await auditAtBoot(world))?.counts.missing ?? 0;
    }
    expect(missing).toBe(1);
  });

  test.each(['truthful', 'absent', 'unclear'] as const)(
    'is believed of no empty list, look-ups being %s',
    async (how) => {
      const [name = ''] = await chargeSome(world, 2);
      world.gateway.lists = 'empty';
      world.gateway.lookUps = how;
      expect(await auditAtBoot(world)).toBeNull();
      expect(world.events.at(-1)).toMatchObject({ kind: 'audit.unclear' });
      expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
    },
  );

  test('is given an hour to become visible', async () => {
    await world.subscribe();
    await world.run();
    world.gateway.lists = 'empty';
    await world.advance({ minutes: 59 });
    expect(await auditAtBoot(world)).toMatchObject({ findings: [], unclear: null });
  });
});
