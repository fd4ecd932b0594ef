import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { hookListeners } from '../../src/app/hook-listeners.ts';
import { hookThreads } from '../../src/app/hook-threads.ts';
import type { Hook, Hooks } from '../../src/config/hooks.ts';
import { Secret } from '../../src/config/secret.ts';
import { noFailpoints } from '../../src/failpoints.ts';
import type { HookThreads } from '../../src/hooks/hook-threads.ts';
import { outgoingPost } from '../../src/hooks/outgoing.ts';
import type { NotifyDeps } from '../../src/notify/deps.ts';
import { KINDS_OF } from '../../src/notify/hook-kinds.ts';
import { relayDue, startRelay } from '../../src/notify/relay.ts';
import { notifyStore } from '../../src/store/notify-store.ts';
import { file, newDir } from '../config/temporary.ts';
import { handClock } from '../gateway/hand-clock.ts';
import { type Receiver, startReceiver } from '../hooks/receiver.ts';
import { FINGERPRINT, newWorld, type World } from '../support/world.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

let world: World;
let receiver: Receiver;
let threads: HookThreads;

beforeEach(async () => {
  world = await newWorld();
  receiver = await startReceiver();
  const configFile = join(newDir(), 'maedal.config.ts');
  file(join(configFile, '..'), 'maedal.config.ts', CONFIG.replaceAll('RECEIVER', receiver.url));
  threads = hookThreads({ configFile, report: () => undefined });
});
afterEach(async () => {
  await threads.close();
  await receiver.close();
  await world.end();
});

const CONFIG = `
const tell = (path) => async ({ signal, logger, ...event }) => {
  const { status } = await fetch('RECEIVER' + path, { method: 'POST', body: JSON.stringify(event), signal });
  if (status > 299) throw new Error('it said ' + status);
};
const afterCharge = [
  { name: 'after', run: tell('/after') },
  { name: 'never', run: () => new Promise(() => undefined) },
  { name: 'exits', run: () => process.exit(0) },
];
export default { hooks: { afterCharge, notify: [{ name: 'sms', run: tell('/sms') }] } };
`;

const fn = (name: string, timeoutMs = 10_000): Hook => {
  return { name, timeoutMs, onError: 'defer', target: { kind: 'function' } };
};
const url = (name: string): Hook => ({
  ...fn(name),
  target: {
    ...{ kind: 'url', url: `${receiver.url}/${name}`, secrets: [new Secret(SECRET)] },
    allowAddresses: ['127.0.0.1'],
  },
});
function told(hooks: Partial<Hooks>, calls: Pick<HookThreads, 'call'> = threads): NotifyDeps {
  const none = { beforeCharge: [], afterCharge: [], onDunningStep: [], onSubscriptionChange: [], notify: [] };
  const clock = handClock();
  return {
    ...{ store: notifyStore(world.database.db), post: outgoingPost(clock, async () => ['127.0.0.1']), clock },
    ...{ report: world.scheduler.report, failpoints: noFailpoints, fingerprint: FINGERPRINT },
    listeners: hookListeners({ ...none, ...hooks }, calls),
  };
}
const at = (path: string) => receiver.received.filter((request) => request.path === path);
const deliveries = () => world.database.db.delivery.findMany({ orderBy: { id: 'asc' } });

test('a function and a URL are told of a charge once, as the event alone, and the URL can verify it', async () => {
  const subscription = await world.subscribe();
  await world.run();
  const deps = told({ afterCharge: [fn('after'), url('away')] });
  await relayDue(deps);
  await relayDue(deps);
  expect(receiver.received).toHaveLength(2);
  const [byFunction, byUrl] = [at('/after')[0], at('/away')[0]];
  expect(JSON.parse(byFunction?.body ?? '')).toEqual(JSON.parse(byUrl?.body ?? ''));
  expect(JSON.parse(byFunction?.body ?? '')).toMatchObject({
    ...{ type: 'charge.succeeded', timestamp: '2027-01-31T01:00:00.000Z', sequence: 1 },
    data: { subscription_id: subscription, amount: 9_900, invoice: { status: 'paid' } },
  });
  const headers: Readonly<Record<string, string>> = byUrl?.headers ?? {};
  const body = byUrl?.body ?? '';
  expect(headers['webhook-signature']).toBe(
    new Webhook(SECRET).sign(String(headers['webhook-id']), new Date('2027-01-31T01:00:00Z'), body),
  );
  expect((await deliveries()).map(({ endpoint }) => endpoint).sort()).toEqual(['hook:after', 'hook:away']);
  expect(await deliveries()).toMatchObject([
    { tries: 1, next_at: null },
    { tries: 1, next_at: null },
  ]);
});

test('each point is told of its own kinds, and every kind of them is one that the page names', async () => {
  const page = readFileSync('docs/hooks.md', 'utf8');
  for (const [point, kinds] of Object.entries(KINDS_OF)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${point}\` | \``)) ?? '';
    expect(row.match(/`[a-z_]+\.[a-z_]+`/g)).toEqual(kinds.map((kind) => `\`${kind}\``));
  }
  await world.subscribe();
  await world.run();
  await relayDue(told({ onDunningStep: [url('dunning')], notify: [fn('sms')] }));
  expect(receiver.received.map(({ path }) => path)).toEqual(['/sms']);
});

test.each([
  ['a function that throws', () => ({ afterCharge: [fn('after')] }), 'it threw: it said 500'],
  ['a URL that answers 500', () => ({ afterCharge: [url('after')] }), 'answered 500'],
  ['a function that never returns', () => ({ afterCharge: [fn('never', 1_000)] }), 'it did not answer within 1000 ms'],
])('%s is told again under the same id, and holds up neither charges nor other hooks', async (_, hooks, reason) => {
  receiver.on(({ path }, response) => response.writeHead(path === '/after' ? 500 : 204).end());
  await world.subscribe();
  await world.run();
  const deps = told({ ...hooks(), notify: [url('sms')] });
  await relayDue(deps);
  expect(at('/sms')).toHaveLength(1);
  const failing = async () => (await deliveries()).find(({ endpoint }) => endpoint !== 'hook:sms');
  const failed = await failing();
  expect(failed).toMatchObject({ tries: 1, last_error: reason, delivered_at: null });
  expect(failed?.next_at?.getTime()).toBeGreaterThan(world.now.toMillis() + 4_000);
  await world.advance({ minutes: 1 });
  await relayDue(deps);
  expect(await failing()).toMatchObject({ tries: 2 });
  expect(new Set(at('/after').map(({ body }) => JSON.parse(body).id)).size).toBeLessThanOrEqual(1);
  expect((await world.database.db.invoice.findMany()).map(({ state }) => state)).toEqual(['paid']);
});

test('a call of which nothing can be said counts for no try, and is made again in seconds under the same id', async () => {
  await world.subscribe();
  await world.run();
  const keys: string[] = [];
  const deps = told(
    { afterCharge: [fn('after')] },
    {
      call: async ({ key }) => {
        keys.push(key);
        return keys.length === 1 ? { kind: 'undone', reason: 'its thread ended' } : { kind: 'answered', value: null };
      },
    },
  );
  await relayDue(deps);
  expect(await deliveries()).toMatchObject([{ tries: 0, last_error: 'its thread ended', lease_until: null }]);
  await world.advance({ seconds: 5 });
  await relayDue(deps);
  expect(await deliveries()).toMatchObject([{ tries: 1, last_error: null, next_at: null }]);
  expect(keys).toEqual([keys[0], keys[0]]);
});

test('a function that ends its thread beside others fails for itself, in the second call', async () => {
  await world.subscribe();
  await world.run();
  const deps = told({ afterCharge: [fn('exits')] });
  await threads.call({ point: 'notify', name: 'gone', key: 'another', payload: '{}', timeoutMs: 10_000 });
  await relayDue(deps);
  expect(await deliveries()).toMatchObject([{ tries: 0 }]);
  await world.advance({ seconds: 5 });
  await relayDue(deps);
  expect(await deliveries()).toMatchObject([{ tries: 1, delivered_at: null }]);
});

test('a process that dies before a hook has answered has it told again under the same id', async () => {
  await world.subscribe();
  await world.run();
  const deps = told({ afterCharge: [fn('after')] });
  const recordTry = () => Promise.reject(new Error('dead'));
  await expect(relayDue({ ...deps, store: { ...deps.store, recordTry } })).rejects.toThrow('dead');
  await world.advance({ minutes: 3 });
  await relayDue(deps);
  const ids = at('/after').map(({ body }) => JSON.parse(body).id);
  expect(ids).toEqual([ids[0], ids[0]]);
});

test('a relay that is closed waits for no function, which is told again', async () => {
  await world.subscribe();
  await world.run();
  let called = () => {};
  const calling = new Promise<void>((resolve) => {
    called = resolve;
  });
  const never = new Promise<never>(() => undefined);
  const call = () => {
    called();
    return never;
  };
  const deps = told({ afterCharge: [fn('after')] }, { call });
  await deps.store.takeUpEvents(deps.listeners, { limit: 10, fingerprint: FINGERPRINT }); // or its first pass finds nothing
  const relay = startRelay(deps);
  await calling;
  await relay.close();
  expect(await deliveries()).toMatchObject([{ tries: 0, last_error: 'this process is stopping' }]);
});
