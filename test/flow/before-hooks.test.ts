import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { BeforeCharge, OnError } from '../../src/billing/hook.ts';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { HookAnswer } from '../../src/hooks/hook-call.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { bound } from '../../src/store/charge-store.ts';
import { keepAnswer, readBefore } from '../../src/store/hook-answers.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

type Reply = (context: BeforeCharge) => unknown;
const asked: BeforeCharge[] = [];

/** Has these hooks asked before each charge, in their order; `undone` and `fails` say what their threads would. */
function ask(
  hooks: Readonly<Record<string, Reply>>,
  { onError = 'defer', ceilings = {} }: { onError?: OnError; ceilings?: Record<string, number> } = {},
): void {
  asked.length = 0;
  const { db } = world.database;
  const answerOf = (value: unknown): HookAnswer => {
    if (value === 'undone') return { kind: 'undone', reason: 'its thread ended' };
    if (value === 'fails') return { kind: 'failed', reason: 'it threw: away' };
    return { kind: 'answered', value };
  };
  const before = {
    hooks: Object.keys(hooks).map((name) => ({ name, timeoutMs: 1_000, onError })),
    ask: async ({ name }: { name: string }, _: string, payload: string) => {
      const context: BeforeCharge = JSON.parse(payload);
      asked.push(context);
      return answerOf(hooks[name]?.(context));
    },
    read: bound(db, readBefore),
    keep: bound(db, keepAnswer),
    ceilings,
    channel: (name: string) => ({ name, pg: null, mode: 'test' as const }),
  };
  Object.assign(world.worker, { before });
}

test('proceed charges the invoice as it stands, and the hook is told all about it', async () => {
  ask({ gate: () => ({ kind: 'proceed' }) });
  const id = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid', amount: 9_900n, price: null });
  const [context] = asked;
  expect(context).toMatchObject({
    hook: 'gate',
    dryRun: false,
    now: '2027-01-31T01:00:00.000Z',
    subscription: { id, plan: null, amount: 9_900, currency: 'KRW', interval: 'month' },
    invoice: { period: '2027-01-31', periodNumber: 1, amount: 9_900, ceiling: 9_900 },
    attempt: { number: 1 },
    previous: [],
  });
  expect(context?.idempotencyKey).toBe(`${context?.attempt.merchantUid}:before`);
});

test('adjust charges what was answered, and what is sent beside it stands under the merchant’s own key', async () => {
  ask({ meter: () => ({ kind: 'adjust', amount: 5_000, name: '사용량', taxFree: 1_000, customData: { attempt: 7 } }) });
  const id = await world.subscribe();
  await world.run();
  const [post] = world.gateway.posts;
  expect(post).toMatchObject({ amount: { minor: 5_000 }, name: '사용량', taxFreeMinor: 1_000 });
  expect(JSON.parse(post?.customData ?? '')).toMatchObject({ subscription: id, attempt: 1, merchant: { attempt: 7 } });
  const invoice = await invoiceOf(world, id);
  expect(invoice).toMatchObject({ state: 'paid', amount: 5_000n, price: 9_900n, name: '사용량' });
  expect(invoice.attempts).toMatchObject([{ amount: 5_000n, tax_free: 1_000n, custom_data: { attempt: 7 } }]);
});

test('skip waives the period, hold leaves it to a person, and neither sends anything', async () => {
  ask({ away: ({ subscription: { id } }) => ({ kind: id === 'skips' ? 'skip' : 'hold', reason: 'on vacation' }) });
  await world.subscribe({ externalId: 'skips' });
  await world.subscribe({ externalId: 'holds' });
  await world.run();
  expect(await invoiceOf(world, 'skips')).toMatchObject({ state: 'waived', reason: 'hook away: on vacation' });
  expect(await invoiceOf(world, 'holds')).toMatchObject({ state: 'held', reason: 'hook away: on vacation' });
  expect(world.gateway.posts).toHaveLength(0);
});

test('defer puts it off until then, asks again, and holds it after seven days in all', async () => {
  ask({ stock: ({ now }) => ({ kind: 'defer', until: new Date(Date.parse(now) + 5 * 86_400_000).toISOString() }) });
  const id = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'open', next_at: new Date('2027-02-05T01:00:00Z') });
  await world.run();
  expect(asked).toHaveLength(1);
  await world.advance({ days: 5 });
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'open', next_at: new Date('2027-02-07T01:00:00Z') });
  await world.advance({ days: 2 });
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'held', reason: expect.stringContaining('seven days') });
  expect(world.gateway.posts).toHaveLength(0);
});

test('an amount above the price is held; above it up to what the plan allows is charged', async () => {
  ask({ meter: () => ({ kind: 'adjust', amount: 12_000 }) }, { ceilings: { metered: 12_000, 'metered KRW': 12_000 } });
  await world.subscribe({ externalId: 'flat' });
  await world.subscribe({ externalId: 'metered' });
  await world.database.db.$executeRaw`UPDATE subscription SET plan = 'metered' WHERE external_id = 'metered'`;
  await world.run();
  expect(await invoiceOf(world, 'flat')).toMatchObject({
    state: 'held',
    reason: 'hook meter: it asks for 12000, and its plan allows 9900 at most',
  });
  expect(await invoiceOf(world, 'metered')).toMatchObject({ state: 'paid', amount: 12_000n, price: 9_900n });
  expect(world.gateway.posts.map(({ amount }) => amount.minor)).toEqual([12_000]);
});

test('what was held above the ceiling is charged in full once that allows it and a person lets it go', async () => {
  const meter = () => ({ kind: 'adjust', amount: 12_000 });
  ask({ meter });
  const id = await world.subscribe();
  await world.database.db.$executeRaw`UPDATE subscription SET plan = 'metered'`;
  await world.run();
  const held = await invoiceOf(world, id);
  expect(held).toMatchObject({ state: 'held' });
  ask({ meter }, { ceilings: { metered: 12_000, 'metered KRW': 12_000 } });
  const deps = { db: world.database.db, fingerprint: FINGERPRINT, channel: () => CHANNEL };
  await orderIntervention(deps, parseInvoiceId(held.id), 'release', { actor: 'kim@host', reason: 'as used' });
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid', amount: 12_000n, price: 9_900n });
});

test('the intent itself lets nothing pass that is above what the plan allows', async () => {
  ask({ gate: () => ({ kind: 'proceed' }) });
  const id = await world.subscribe();
  const { ready } = world.gateway;
  world.gateway.ready = async (options) => {
    await world.database.db.$executeRaw`UPDATE invoice SET price = amount - 1`;
    return ready.call(world.gateway, options);
  };
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'held', reason: 'over_ceiling' });
  expect(world.gateway.posts).toHaveLength(0);
});

test('a later attempt is asked again, and may keep the amount or lower it', async () => {
  const wanted = [8_000, 9_000, 7_000];
  ask({ meter: () => ({ kind: 'adjust', amount: wanted.shift() }) });
  const id = await world.subscribe();
  world.gateway.script(`card of ${id}`, 'decline', 'decline');
  await world.run();
  for (let day = 1; day <= 6; day += 1) {
    await world.advance({ days: 1 });
    await world.run();
    await world.run();
  }
  expect(world.gateway.posts.map(({ amount }) => amount.minor)).toEqual([8_000, 8_000, 7_000]);
  expect(asked[1]?.previous).toMatchObject([{ number: 1, outcome: 'declined', declineClass: 'funds' }]);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid', amount: 7_000n });
});

test.each([
  ['block', { state: 'held', reason: 'hook gate: it threw: away' }, 0],
  ['proceed', { state: 'paid' }, 1],
  ['defer', { state: 'open', next_at: new Date('2027-01-31T01:01:00Z') }, 0],
] as const)('a hook that fails comes to what onError says: %s', async (onError, expected, posts) => {
  ask({ gate: () => 'fails' }, { onError });
  const id = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject(expected);
  expect(world.gateway.posts).toHaveLength(posts);
});

test.each([
  undefined,
  null,
  'proceed',
  { kind: 'retry' },
  { kind: 'adjust', amount: 0.5 },
  { kind: 'skip' },
  { kind: 'defer', until: 'soon' },
  { kind: 'hold', reason: 'a\0b' },
  { kind: 'adjust', customData: { '\ud800': 1 } },
])('garbage is a failure that says what is wrong with it: %j', async (garbage) => {
  ask({ gate: () => garbage }, { onError: 'block' });
  const id = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({
    state: 'held',
    reason: expect.stringContaining('its answer is none'),
  });
});

test('a hook that could not be asked is asked again at once, then in seconds: nothing is stored and no failure counted', async () => {
  const answers: unknown[] = ['undone', 'undone', { kind: 'proceed' }];
  ask({ gate: () => answers.shift() }, { onError: 'block' });
  const id = await world.subscribe();
  await world.run();
  expect(asked).toHaveLength(2);
  expect(await world.database.db.hook_answer.count()).toBe(0);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'open', next_at: new Date('2027-01-31T01:00:05Z') });
  await world.advance({ seconds: 5 });
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
});

test.each(['hook.answered', 'hook.kept'] as const)(
  'a crash at %s charges once, and asks nobody twice whose answer is kept',
  async (point) => {
    const calls: string[] = [];
    ask({
      meter: ({ hook }) => {
        calls.push(hook);
        return { kind: 'adjust', amount: 5_000 };
      },
      gate: ({ hook }) => {
        calls.push(hook);
        return { kind: 'proceed' };
      },
    });
    let times = 0;
    const at = async (name: string) => {
      if (name === point) times += 1;
      if (name === point && times === 2) throw new Error('crash');
    };
    Object.assign(world.worker, { failpoints: { at } });
    const id = await world.subscribe();
    await expect(world.run()).rejects.toThrow('crash');
    await world.advance({ minutes: 3 });
    await world.run();
    expect(calls).toEqual(point === 'hook.kept' ? ['meter', 'gate'] : ['meter', 'gate', 'gate']);
    expect(world.gateway.posts.map(({ amount }) => amount.minor)).toEqual([5_000]);
    expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
  },
);

test('what was put off keeps its word when it is rung before its time', async () => {
  ask({ stock: () => ({ kind: 'defer', until: '2027-02-01T00:00:00+09:00' }) });
  const id = await world.subscribe();
  await world.run();
  await world.database.db.$executeRaw`UPDATE invoice SET next_at = maedal_now()`;
  await world.advance({ minutes: 3 });
  await world.run();
  expect(asked).toHaveLength(1);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'open', next_at: new Date('2027-01-31T15:00:00Z') });
});
