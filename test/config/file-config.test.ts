import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ConfigError } from '../../src/config/config-error.ts';
import { parseFileConfig } from '../../src/config/file-config.ts';

const plan = { name: '월 구독', amount: 9_900, currency: 'KRW', interval: 'month' };

function problemsOf(raw: unknown): readonly string[] {
  try {
    parseFileConfig(raw);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('an empty file means the defaults', () => {
  expect(parseFileConfig({})).toEqual({
    schedule: '* * * * *',
    timezone: 'Asia/Seoul',
    chargeAt: '10:00',
    catchUp: 'latest',
    refundDuplicates: 'propose',
    channels: {},
    plans: {},
    dunning: {},
    declines: {},
    events: { endpoints: [] },
    hooks: { beforeCharge: [], afterCharge: [], onDunningStep: [], onSubscriptionChange: [], notify: [] },
    webhooks: { from: 'anywhere', trustedProxies: [] },
    limits: { concurrency: 50, leaseSeconds: 90, reRingSeconds: 120, maxUnknownShare: 0.2, maxAmount: null },
  });
});

test('a whole file is taken as written', () => {
  const whole = {
    schedule: '*/5 9-18 * * 1-5',
    timezone: 'America/New_York',
    chargeAt: '00:30',
    catchUp: 'all',
    channels: { 나이스: { pg: 'nice.MID', mode: 'test', ratePerSecond: 50, timeoutSeconds: 60 } },
    plans: {
      basic: { ...plan, intervalCount: 3, policy: 'gentle' },
      pro: { ...plan, amount: '19.90', currency: 'USD', maxAmount: 50 },
    },
    dunning: { gentle: { retryAfterDays: [2, 7, 14], minGapHours: 48 } },
    declines: { nice: { codes: { '2116': 'card' } }, any: { texts: { '잔액 부족': 'funds' } } },
    events: {},
    limits: { leaseSeconds: 120, reRingSeconds: 60, maxAmount: { KRW: 1_000_000 } },
  };
  expect(parseFileConfig(whole)).toMatchObject(whole);
});

describe('a wrong value is named with its path', () => {
  test.each([
    [{ shedule: '* * * * *' }, 'shedule is not a setting; did you mean schedule?'],
    [{ channels: { nice: { timeout: 5 } } }, 'channels.nice.timeout is not a setting'],
    [
      { channels: { nice: { timeoutSecond: 5 } } },
      'channels.nice.timeoutSecond is not a setting; did you mean timeoutSeconds?',
    ],
    [{ plans: { basic: { ...plan, curency: 1 } } }, 'plans.basic.curency is not a setting; did you mean currency?'],
    [{ limits: { concurrency: 0 } }, 'limits.concurrency is 0'],
    [{ limits: { concurrency: 201 } }, 'limits.concurrency is 201'],
    [{ limits: { maxAmounts: {} } }, 'limits.maxAmounts is not a setting; did you mean maxAmount?'],
    [{ dunning: { retryAfterDays: [1] } }, 'dunning.retryAfterDays is a list: write an object'],
    [{ schedule: 'every minute' }, "schedule is 'every minute': this is no cron expression of five fields"],
    [{ schedule: '60 * * * *' }, "schedule is '60 * * * *': Invalid value for minute: 60"],
    [{ schedule: '* * * * * *' }, 'this is no cron expression of five fields'],
    [{ schedule: '@hourly' }, 'this is no cron expression of five fields'],
    [{ schedule: '0 0 31 2 *' }, 'no date ever fits this cron expression'],
    [{ schedule: '* '.repeat(100) }, 'schedule is'],
    [{ schedule: 5 }, 'schedule is 5: write text'],
    [{ timezone: 'Asia/Soul' }, "timezone is 'Asia/Soul': this is no time zone of the IANA database"],
    [{ timezone: 'Asia/Soul' }, 'did you mean Asia/Seoul?'],
    [{ timezone: '+09:00' }, 'timezone is'],
    [{ chargeAt: '25:00' }, "chargeAt is '25:00': write HH:mm"],
    [{ catchUp: 'last' }, "catchUp is 'last': use one of latest, all, hold"],
    [{ channels: { 'a b': {} } }, 'channels["a b"]: a name is'],
    [{ channels: { nice: { timeoutSeconds: 1e9 } } }, 'channels.nice.timeoutSeconds is 1000000000: write at most 300'],
    [{ channels: { nice: { horizonSeconds: 0 } } }, 'channels.nice.horizonSeconds is 0: write at least 1'],
    [{ channels: { nice: { horizonSeconds: '60' } } }, "channels.nice.horizonSeconds is '60': write a number"],
    [{ channels: { nice: { ratePerSecond: Number.NaN } } }, 'channels.nice.ratePerSecond is NaN: write a number'],
    [{ channels: { nice: { ratePerSecond: 0 } } }, 'channels.nice.ratePerSecond is 0: write at least 0.1'],
    [{ channels: { nice: null } }, 'channels.nice is null: write an object'],
    [
      { plans: { basic: { ...plan, amount: 9_900.5 } } },
      "plans.basic.amount is 9900.5: '9900.5' has too many decimals",
    ],
    [{ plans: { basic: { ...plan, amount: '9900.00' } } }, 'KRW has no decimals'],
    [{ plans: { basic: { ...plan, amount: -9_900 } } }, 'plans.basic.amount is -9900'],
    [{ plans: { basic: { ...plan, amount: '-1' } } }, "plans.basic.amount is '-1'"],
    [{ plans: { basic: { ...plan, amount: 0 } } }, 'plans.basic.amount is 0: a price is above zero'],
    [{ plans: { basic: { ...plan, amount: 1e15 } } }, 'too large; an amount has at most 15 digits'],
    [{ plans: { basic: { ...plan, amount: Number.NaN } } }, 'plans.basic.amount is NaN'],
    [
      { plans: { basic: { ...plan, amount: 0.1 + 0.2, currency: 'USD' } } },
      'plans.basic.amount is 0.30000000000000004',
    ],
    [{ plans: { basic: { ...plan, amount: true } } }, 'plans.basic.amount is true: write major units'],
    [{ plans: { basic: { ...plan, maxAmount: 9_899 } } }, 'plans.basic.maxAmount is 9899: hooks may go up to it'],
    [{ plans: { basic: { ...plan, maxAmount: '9900.5' } } }, "plans.basic.maxAmount is '9900.5'"],
    [{ plans: { basic: { ...plan, maxAmount: null } } }, 'plans.basic.maxAmount is null: write major units'],
    [{ plans: { basic: { ...plan, currency: 'WON' } } }, "plans.basic.currency is 'WON': use an ISO 4217 code"],
    [
      { plans: { basic: { ...plan, interval: 'months' } } },
      "plans.basic.interval is 'months': use one of day, week, month, year",
    ],
    [{ plans: { basic: { ...plan, intervalCount: 0 } } }, 'plans.basic.intervalCount is 0: write at least 1'],
    [{ plans: { basic: { ...plan, name: '가'.repeat(41) } } }, 'write 1 to 40 characters'],
    [{ plans: { basic: { ...plan, name: ' ' } } }, 'write 1 to 40 characters'],
    [{ plans: { basic: { amount: 1, currency: 'KRW', interval: 'day' } } }, 'plans.basic.name is missing'],
    [
      {
        dunning: {
          default: {
            steps: [
              { name: 'a', afterDays: 2 },
              { name: 'b', afterDays: 2 },
            ],
          },
        },
      },
      'one a day',
    ],
    [{ limits: { leaseSeconds: 1 } }, 'limits.leaseSeconds is 1: write at least 5'],
    [{ limits: { maxAmount: { won: 5 } } }, 'limits.maxAmount.won: use an ISO 4217 code'],
    [{ limits: { maxAmount: { KRW: 1.5 } } }, 'limits.maxAmount.KRW is 1.5: write a whole number'],
    [undefined, 'the configuration is missing'],
    [null, 'the configuration is null: write an object'],
    [() => ({}), 'write an object'],
    [Promise.resolve({}), 'the configuration is a Promise: write an object'],
    [new Map(), 'the configuration is a Map: write an object'],
  ])('%j', (raw, expected) => expect(problemsOf(raw).join('\n')).toContain(expected));
});

test.each([{ hooks: {} }, { events: {} }, { events: { endpoints: [] } }, { events: undefined }])(
  '%j asks for nothing',
  (raw) => {
    expect(problemsOf(raw)).toEqual([]);
  },
);

test('all problems are told at once', () => {
  const raw = {
    shedule: 1,
    timezone: 'Mars/Olympus',
    plans: { basic: { ...plan, amount: 9_900.5, intervals: 2, interval: 'decade' }, other: { ...plan, amount: -1 } },
    limits: { leaseSeconds: 0 },
  };
  const problems = problemsOf(raw).join('\n');
  for (const part of [
    'shedule',
    'Mars/Olympus',
    'basic.amount',
    'basic.intervals',
    'decade',
    'other.amount',
    'leaseSeconds',
  ]) {
    expect(problems).toContain(part);
  }
  expect(() => parseFileConfig(raw)).toThrow(/the configuration has 7 problems:\n- /);
});

test('a value is not quoted at length', () => {
  expect(
    Math.max(...problemsOf({ schedule: 'x'.repeat(10_000), ['y'.repeat(10_000)]: 1 }).map((problem) => problem.length)),
  ).toBeLessThan(300);
});

const keys = fc.constantFrom(
  ...['schedule', 'timezone', 'chargeAt', 'catchUp', 'channels', 'plans', 'dunning', 'hooks', 'events', 'limits'],
  ...['declines', 'nice', 'any', 'codes', 'texts'],
  ...['default', 'name', 'amount', 'currency', 'interval', 'intervalCount', 'policy', 'retryAfterDays', 'minGapHours'],
  ...['pg', 'mode', 'ratePerSecond', 'timeoutSeconds', 'horizonSeconds', 'maxAmount', 'leaseSeconds', 'constructor'],
);
const leaf = fc.oneof(
  fc.constantFrom(
    '* * * * *',
    'Asia/Seoul',
    'KRW',
    'month',
    'latest',
    '9.90',
    '10:00',
    '',
    '__proto__',
    'x'.repeat(500),
  ),
  fc.constantFrom<unknown>(9_900, 0, -1, -0, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 10n, null, undefined, true),
  fc.constantFrom<unknown>(
    Symbol('x'),
    () => 1,
    new Date(0),
    new Map([[1, 2]]),
    /x/,
    Object.create(null),
    new Uint8Array(2),
  ),
  fc.string(),
  fc.integer(),
);
const entries = <T>(value: fc.Arbitrary<T>) => fc.dictionary(fc.oneof(keys, keys, fc.string()), value, { maxKeys: 6 });
const branch = fc.oneof(leaf, entries(leaf), fc.array(leaf, { maxLength: 3 }));
const hostile = fc.oneof(leaf, entries(fc.oneof(branch, entries(branch))));

test('any file is a configuration or a ConfigError', () => {
  fc.assert(
    fc.property(hostile, (raw) => {
      for (const problem of problemsOf(raw)) expect(problem.length).toBeGreaterThan(10);
    }),
    { numRuns: 1_000 },
  );
});

test('a file that fights back is a ConfigError', () => {
  const throwing = {
    get schedule(): string {
      throw new Error('boom');
    },
  };
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        throw 'no error at all';
      },
    },
  );
  const circular: { plans?: unknown } = {};
  circular.plans = circular;
  expect(problemsOf(throwing)).toEqual(['the configuration cannot be read: boom']);
  expect(problemsOf(trap)).toEqual(['the configuration cannot be read: it threw no error at all']);
  expect(problemsOf(circular).length).toBeGreaterThan(0);
});

test('prototypes stay clean', () => {
  problemsOf(
    JSON.parse('{"__proto__":{"polluted":1},"plans":{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}}'),
  );
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});
