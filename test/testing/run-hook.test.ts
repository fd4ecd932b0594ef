import { expect, test } from '@jest/globals';
import { chargeContext, event, runBeforeHook, runEventHook, virtualClock } from '../../src/testing.ts';

const asked = (run: (context: never) => unknown, options: Readonly<Record<string, unknown>> = {}) => {
  const hook: Parameters<typeof runBeforeHook>[0] = { name: 'mine', run: Object(run), ...options };
  return runBeforeHook(hook, chargeContext());
};

test.each([
  { kind: 'proceed' },
  { kind: 'adjust', amount: 5_000 },
  { kind: 'adjust', name: '월 정기구독', taxFree: 0, vat: null, customData: { coupon: ['a', 1, null] } },
  { kind: 'skip', reason: '휴가' },
  { kind: 'hold', reason: 'ask me' },
  { kind: 'defer', until: '2027-02-01T10:00:00+09:00' },
])('%j is an answer', async (answer) => {
  expect(await asked(() => answer)).toEqual({ kind: 'answered', answer, lines: [] });
});

test('a Date is the instant that JSON makes of it', async () => {
  const run = await asked(() => ({ kind: 'defer', until: new Date('2027-02-01T10:00:00+09:00') }));
  expect(run).toMatchObject({ answer: { kind: 'defer', until: '2027-02-01T01:00:00.000Z' } });
});

test.each([
  [undefined, /^its answer is none: answer an object whose kind is 'proceed'/],
  ['proceed', /^its answer is none: answer an object/],
  [{ kind: 'skipp' }, /^its answer is none: kind: answer an object whose kind/],
  [{ kind: 'adjust', amuont: 100 }, /amuont/],
  [{ kind: 'adjust', amount: 99.5 }, /amount: write a whole number of minor units/],
  [{ kind: 'adjust', amount: -1 }, /amount: an amount is not below zero/],
  [{ kind: 'adjust', name: 'x'.repeat(41) }, /name: /],
  [{ kind: 'adjust', customData: { text: 'x'.repeat(5_000) } }, /customData: at most 4 KB of JSON/],
  [{ kind: 'skip' }, /reason: /],
  [{ kind: 'hold', reason: ' ' }, /reason: /],
  [{ kind: 'defer', until: '2027-02-01T10:00:00' }, /until: write an instant with its offset/],
  [{ kind: 'adjust', amount: 1n }, /^it threw: /],
])('%j is none, and the hook has failed', async (answer, reason) => {
  expect(await asked(() => answer)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(reason),
    follows: 'defer',
  });
});

test('an answer of more than 64 KB is none', async () => {
  const run = await asked(() => 'x'.repeat(70_000));
  expect(run).toMatchObject({ kind: 'failed', reason: 'its answer has 70002 bytes of JSON: at most 65536' });
});

test('what throws or rejects has failed, and onError says what follows', async () => {
  const thrown = () => {
    throw new Error('no\n  meter');
  };
  expect(await asked(thrown, { onError: 'block' })).toMatchObject({ reason: 'it threw: no meter', follows: 'block' });
  expect(await asked(() => Promise.reject('away'))).toMatchObject({ reason: 'it threw: away', follows: 'defer' });
});

test('a hook is given up at its time limit, with its signal', async () => {
  const clock = virtualClock();
  let aborted = false;
  const hook = {
    name: 'slow',
    timeoutMs: 2_000,
    run: ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      }),
  };
  const running = runBeforeHook(hook, chargeContext(), { clock });
  clock.advance(1_999);
  expect(aborted).toBe(false);
  clock.advance(1);
  expect(await running).toMatchObject({ kind: 'failed', reason: 'it did not answer within 2000 ms' });
  expect(aborted).toBe(true);
});

test('a hook gets a frozen context with its own name, and its lines are kept', async () => {
  const run = await runBeforeHook(
    {
      name: 'mine',
      run: (context) => {
        context.logger.info(`asked ${context.hook}`, { frozen: Object.isFrozen(context) });
        Object.assign(context.invoice, { amount: 1 });
        return { kind: 'proceed' };
      },
    },
    chargeContext(),
  );
  expect(run).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/^it threw: Cannot assign/),
    lines: [{ level: 'info', message: 'asked mine', fields: { frozen: true } }],
  });
});

test('an event hook may answer anything; what throws is told again', async () => {
  const told: string[] = [];
  const good = await runEventHook({ name: 'good', run: ({ id }) => told.push(id) }, event('invoice.paid'));
  expect(good).toEqual({ kind: 'answered', answer: null, lines: [] });
  expect(told).toEqual(['evt_1']);
  const bad = await runEventHook({ name: 'bad', run: () => Promise.reject(new Error('away')) }, event('invoice.paid'));
  expect(bad).toMatchObject({ kind: 'failed', reason: 'it threw: away', follows: 'again' });
});

test('a hook that is a url cannot be run', async () => {
  const hook = { name: 'far', url: 'https://shop.example/hooks', secret: 'x'.repeat(24) };
  await expect(runBeforeHook(hook, chargeContext())).rejects.toThrow('far is a url');
});
