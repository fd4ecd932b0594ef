import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { hookThreads } from '../../src/app/hook-threads.ts';
import { systemClock } from '../../src/clock.ts';
import type { BillingEvent } from '../../src/events.ts';
import type { HookAnswer } from '../../src/hooks/hook-call.ts';
import { HookThreads } from '../../src/hooks/hook-threads.ts';
import { file, newDir } from '../config/temporary.ts';

const CONFIG = `
const hooks = {
  echo: (context) => ({ kind: 'adjust', amount: context.invoice.amount - 1 }),
  later: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('told'))),
  never: () => new Promise(() => undefined),
  throws: () => { throw new Error('the meter is\\naway') },
  exits: () => process.exit(0),
  explodes: () => new Promise(() => { setImmediate(() => { throw new Error('in a timer') }) }),
  wordless: () => new Promise(() => { setImmediate(() => { throw { toString: null } }) }),
  blocks: ({ logger }) => { logger.info('blocks now'); for (;;); },
  huge: () => 'x'.repeat(10_000_000),
  circular: () => { const self = {}; self.self = self; return self },
  nothing: () => undefined,
  posts: async () => {
    const { parentPort } = await import('node:worker_threads');
    for (const noise of ['ready', null, {}, { kind: Object.create(null) }]) parentPort.postMessage(noise);
    return 1;
  },
  shows: ({ logger }) => { const shown = { n: 1n }; shown.self = shown; logger.info('odd', shown); return 1 },
  says: ({ logger }) => { logger.warn('low', { left: 3 }); console.log('printed'); return 1 },
  changes: (context) => { context.invoice.amount = 1 },
  secrets: () => Object.keys(process.env).filter((name) => /^(MAEDAL|PORTONE|DATABASE)/.test(name)),
  ours: () => process.env.SHOP_TOKEN,
};
export default { hooks: { beforeCharge: Object.entries(hooks).map(([name, run]) => ({ name, run })) } };
`;

const said: BillingEvent[] = [];
let heard = () => {};
let threads: HookThreads;

function open(config = CONFIG): HookThreads {
  const configFile = join(newDir(), 'maedal.config.ts');
  file(join(configFile, '..'), 'maedal.config.ts', config);
  said.length = 0;
  threads = hookThreads({
    configFile,
    report: (event) => {
      said.push(event);
      heard();
    },
  });
  return threads;
}

function call(name: string, { key = name, timeoutMs = 10_000 } = {}): Promise<HookAnswer> {
  const payload = JSON.stringify({ invoice: { amount: 9_900 } });
  return threads.call({ point: 'beforeCharge', name, key, payload, timeoutMs });
}

afterEach(() => threads.close());

test('a hook answers from its context, many at once', async () => {
  open();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => call('echo', { key: `${index}` })));
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
    new Set([JSON.stringify({ kind: 'answered', value: { kind: 'adjust', amount: 9_899 } })]),
  );
});

test.each([
  ['throws', 'it threw: the meter is away'],
  ['huge', 'its answer has 10000002 bytes of JSON: at most 65536'],
  ['circular', 'it threw: Converting circular structure to JSON'],
  ['changes', 'it threw: Cannot assign to read only property'],
  ['gone', 'the configuration file has no such function any more'],
])('a hook that %s fails, and says why', async (name, reason) => {
  open();
  expect(await call(name)).toEqual({ kind: 'failed', reason: expect.stringContaining(reason) });
});

test('a hook that never returns fails at its limit, and its neighbours go on', async () => {
  open();
  const [never, echo] = await Promise.all([call('never', { timeoutMs: 1_000 }), call('echo')]);
  expect(never).toEqual({ kind: 'failed', reason: 'it did not answer within 1000 ms' });
  expect(echo.kind).toBe('answered');
  expect((await call('echo')).kind).toBe('answered');
});

test('the signal of a hook is aborted at its limit, and what it says then still counts', async () => {
  open();
  expect(await call('later', { timeoutMs: 100 })).toEqual({ kind: 'answered', value: 'told' });
});

test.each([
  ['exits', 'its thread ended'],
  ['explodes', 'in a timer'],
  ['wordless', 'its thread ended: something without words'],
  ['blocks', 'it did not answer within 1000 ms, and let nothing else run'],
])('a hook that %s costs its neighbours one more call and fails alone', async (name, reason) => {
  open();
  await call('echo');
  const neighbours = Array.from({ length: 6 }, (_, index) => call('never', { key: `${index}`, timeoutMs: 20_000 }));
  const first = await call(name, { timeoutMs: 1_000 });
  expect(first.kind).toBe('undone');
  expect(await call(name, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', reason: expect.stringContaining(reason) });
  expect((await call('echo')).kind).toBe('answered');
  await threads.close();
  for (const { kind } of await Promise.all(neighbours)) expect(kind).toBe('undone');
});

test('what a hook says and prints goes to the log, and nothing of it to stdout', async () => {
  open();
  expect(await call('says')).toEqual({ kind: 'answered', value: 1 });
  expect(await call('nothing')).toEqual({ kind: 'answered', value: null });
  expect(said).toContainEqual({ kind: 'hook.said', hook: 'says', severity: 'warn', text: 'low {"left":3}' });
  expect(said).toContainEqual({ kind: 'hook.said', hook: null, severity: 'info', text: 'printed' });
});

test('a line of what has no JSON is written all the same', async () => {
  open();
  expect(await call('shows')).toEqual({ kind: 'answered', value: 1 });
  expect(said).toMatchObject([{ hook: 'shows', text: 'odd <ref *1> { n: 1n, self: [Circular *1] }' }]);
});

test('what a hook posts to our thread by itself is no answer', async () => {
  open();
  expect(await call('posts')).toEqual({ kind: 'answered', value: 1 });
});

test('a hook sees the environment of the shop and nothing of maedal’s', async () => {
  const { DATABASE_URL } = process.env;
  Object.assign(process.env, { DATABASE_URL: 'canary', PORTONE_API_SECRET: 'canary', SHOP_TOKEN: 'theirs' });
  open();
  expect(await call('secrets')).toEqual({ kind: 'answered', value: [] });
  expect(await call('ours')).toEqual({ kind: 'answered', value: 'theirs' });
  for (const name of ['PORTONE_API_SECRET', 'SHOP_TOKEN', 'DATABASE_URL']) delete process.env[name];
  if (DATABASE_URL !== undefined) process.env.DATABASE_URL = DATABASE_URL;
});

test('where no thread can be begun a hook fails, and says why', async () => {
  const start = () => {
    throw new Error('too many threads');
  };
  threads = new HookThreads({ start, threads: 1, clock: systemClock, report: () => undefined });
  const [one, other] = await Promise.all([call('echo'), call('echo', { key: 'other' })]);
  expect(one).toEqual({ kind: 'failed', reason: 'no thread can be begun: too many threads' });
  expect(other).toEqual(one);
});

test('a file that ends its thread while it loads fails its hooks, and is not loaded for ever', async () => {
  open('process.exit(3)');
  expect(await call('echo')).toEqual({ kind: 'failed', reason: expect.stringContaining('its thread ended') });
});

test('what a hook throws fits in a row, whatever it holds', async () => {
  open(CONFIG.replace("throw new Error('the meter is\\naway')", "throw new Error('a\\0b\\ud800c' + '😀'.repeat(400))"));
  const answer = await call('throws');
  expect(answer).toEqual({ kind: 'failed', reason: `it threw: a b c${'😀'.repeat(295)}` });
});

test('a file that does not load in a thread fails its hooks, and says why', async () => {
  open('throw new Error("no such meter")');
  const reason = expect.stringMatching(/does not load in a thread: .*no such meter/);
  expect(await call('echo')).toEqual({ kind: 'failed', reason });
});

test.each([
  ['exits', 'its thread ended'],
  ['blocks', 'it did not answer within 1000 ms, and let nothing else run'],
])('a hook that %s in a thread that had no other call fails at once', async (name, reason) => {
  open();
  expect(await call(name, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', reason: expect.stringContaining(reason) });
});

test('a call alone in its thread that our end cuts short has not failed', async () => {
  open();
  await call('echo');
  expect((await call('blocks', { timeoutMs: 1_000 })).kind).toBe('undone');
  const blocks = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const alone = call('blocks');
  await blocks;
  await threads.close();
  expect(await alone).toEqual({ kind: 'undone', reason: 'this process is stopping' });
});

test('after it is closed nothing is called', async () => {
  open();
  await threads.close();
  expect(await call('echo')).toEqual({ kind: 'undone', reason: 'this process is stopping' });
});
