import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { DECLINE_CLASSES } from '../../src/billing/charge.ts';

import { ConfigError } from '../../src/config/config-error.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { databaseOf, resolveConfig } from '../../src/config/resolve.ts';
import { cwdWith, everything, LIVE, plan, problemsOf, resolve } from './resolving.ts';
import { newDir } from './temporary.ts';

/** Every class tries its card again. */
const SAME_CARD = Object.fromEntries(
  DECLINE_CLASSES.map((name) => [name, { retryAfterDays: [1, 3], card: 'same' as const }]),
);

describe('with nothing set', () => {
  test('the database is embedded, the queue on it, the sandbox inside, the secrets made', async () => {
    const cwd = cwdWith({});
    const config = await resolveConfig({ env: {}, cwd, start: everything });
    expect(config).toMatchObject({
      mode: 'test',
      configFile: join(cwd, 'maedal.config.ts'),
      schedule: '* * * * *',
      timezone: 'Asia/Seoul',
      chargeAt: '10:00',
      catchUp: 'latest',
      database: { kind: 'embedded', dataDir: join(cwd, '.maedal') },
      queue: { kind: 'postgres' },
      gateway: { kind: 'sandbox', baseUrl: 'http://127.0.0.1:4010', runInside: true },
      http: { host: '127.0.0.1', port: 3000 },
      credentialsFile: join(cwd, '.maedal', 'credentials'),
    });
    expect([config.gateway.key.reveal(), config.gateway.secret.reveal()]).toEqual(['imp_sandbox', 'sandbox_secret']);
    expect(config.channels).toEqual({
      default: {
        pg: null,
        ratePerSecond: null,
        timeoutSeconds: 10,
        horizonSeconds: 20,
        quarantineSeconds: 60,
        declinesAreFinal: true,
      },
    });
    expect(config.policies.default?.dunning).toEqual(SHIPPED);
    const again = await resolveConfig({ env: {}, cwd, start: everything });
    expect(again.secret.reveal()).toBe(config.secret.reveal());
    expect(again.login?.operatorPassword.reveal()).toBe(config.login?.operatorPassword.reveal());
  });

  test('a set variable goes before the file of credentials', async () => {
    const config = await resolve({ MAEDAL_API_TOKEN: 'mine' });
    expect(config.login?.apiToken.reveal()).toBe('mine');
    expect(config.credentialsFile).not.toBeNull();
  });

  test('where all secrets are set, no file is made', async () => {
    const cwd = cwdWith({});
    const { MAEDAL_SECRET, MAEDAL_API_TOKEN, MAEDAL_OPERATOR_PASSWORD } = LIVE;
    const config = await resolveConfig({ env: { MAEDAL_SECRET, MAEDAL_API_TOKEN, MAEDAL_OPERATOR_PASSWORD }, cwd });
    expect(config.credentialsFile).toBeNull();
    expect(existsSync(join(cwd, '.maedal'))).toBe(false);
  });

  test('a configuration with problems writes nothing', async () => {
    const cwd = cwdWith({ shedule: 1 });
    await expect(resolveConfig({ env: {}, cwd })).rejects.toThrow(ConfigError);
    expect(existsSync(join(cwd, '.maedal'))).toBe(false);
  });

  test('the example serves where there is no configuration file', async () => {
    const cwd = newDir();
    const exampleConfig = join(cwdWith({ catchUp: 'hold' }), 'maedal.config.ts');
    const config = await resolveConfig({ env: {}, cwd, exampleConfig });
    expect([config.catchUp, config.configFile]).toEqual(['hold', exampleConfig]);
  });
});

describe('rules between settings', () => {
  test.each([
    [
      { channels: { a: { timeoutSeconds: 30, horizonSeconds: 29 } } },
      'channels.a.horizonSeconds is 29: it cannot be less',
    ],
    [
      { channels: { a: { timeoutSeconds: 10, horizonSeconds: 100, quarantineSeconds: 114 } } },
      'channels.a.quarantineSeconds is 114: it cannot be less than 115, after which nothing of a send can land: 5 for',
    ],
    // No class gives a card up for good here, so no other one is ever waited for.
    [
      { dunning: { a: { retryAfterDays: [1, 3], classes: SAME_CARD, steps: [{ name: 'never', afterDays: 10 }] } } },
      'dunning.a.steps.0.afterDays is 10: the policy ends on day 3 at the latest',
    ],
    [{ channels: { a: { quarantineSeconds: 90_000 } } }, 'dunning.default.minGapHours is 24: a retry waits out'],
    [{ channels: { a: { mode: 'live' } } }, "channels.a.mode is 'live', but MAEDAL_ENV is test"],
    [{ plans: { p: { ...plan(9_900), policy: 'gentel' } }, dunning: { gentle: {} } }, 'did you mean gentle?'],
    [
      { plans: { p: { ...plan(9_900), policy: 'constructor' } } },
      "plans.p.policy is 'constructor', which is not under dunning",
    ],
    [
      { plans: { p: plan(9_901) }, limits: { maxAmount: { KRW: 9_900 } } },
      'plans.p.amount is 9901: more than limits.maxAmount.KRW',
    ],
    [
      { plans: { p: { ...plan(9_900), maxAmount: 9_901 } }, limits: { maxAmount: { KRW: 9_900 } } },
      'plans.p.maxAmount is 9901: more than limits.maxAmount.KRW',
    ],
  ])('%j', async (config, expected) => expect(await problemsOf(resolve({}, config))).toContain(expected));

  test('prices are read into minor units, once', async () => {
    const { plans } = await resolve(
      {},
      { plans: { won: plan(9_900), dollar: { ...plan('9.90'), currency: 'USD', maxAmount: 50 } } },
    );
    expect(plans.won).toEqual({
      name: '월 구독',
      amount: { minor: 9_900, currency: 'KRW' },
      ceilingMinor: 9_900,
      interval: 'month',
      intervalCount: 1,
      policy: 'default',
    });
    expect(plans.dollar?.amount).toEqual({ minor: 990, currency: 'USD' });
    expect(plans.dollar?.ceilingMinor).toBe(5_000);
  });

  test('declines of PayPal and Paymentwall are not final', async () => {
    const { channels } = await resolve(
      {},
      { channels: { p: { pg: 'paypal_v2.x' }, w: { pg: 'paymentwall' }, n: { pg: 'nice' } } },
    );
    expect([channels.p, channels.w, channels.n].map((each) => each?.declinesAreFinal)).toEqual([false, false, true]);
  });

  test('a name that nobody configured is undefined', async () => {
    const { channels, plans, policies, declines } = await resolve({}, { declines: { any: {} } });
    const named = [channels.constructor, plans.toString, policies.hasOwnProperty, declines.constructor];
    const ofAny = [declines.any?.codes.constructor, declines.any?.texts.toString];
    expect([...named, ...ofAny].filter((each) => each !== undefined)).toEqual([]);
  });
});

test('what the merchant says of declines is taken as written', async () => {
  const { declines } = await resolve({}, { declines: { kcp: { codes: { CC61: 'card' }, texts: { 한도: 'time' } } } });
  expect(JSON.parse(JSON.stringify(declines))).toEqual({ kcp: { codes: { CC61: 'card' }, texts: { 한도: 'time' } } });
  expect(Object.isFrozen(declines.kcp?.codes)).toBe(true);
});

test('a policy’s version follows from what it says and from nothing else', async () => {
  const gentle = { retryAfterDays: [2, 4], minGapHours: 48 };
  const one = await resolve({}, { dunning: { gentle, default: {} } });
  const same = await resolve(LIVE, { dunning: { default: { minGapHours: 24, retryAfterDays: [1, 3, 5] }, gentle } });
  const other = await resolve({}, { dunning: { gentle: { ...gentle, retryAfterDays: [2, 5] } } });
  expect(same.policyVersion).toBe(one.policyVersion);
  expect(other.policyVersion).not.toBe(one.policyVersion);
  expect(other.policies.default?.version).toBe(one.policies.default?.version);
  expect(other.policies.gentle?.version).not.toBe(one.policies.gentle?.version);
  expect(one.policyVersion).toMatch(/^[0-9a-f]{12}$/);
});

test('a configuration is frozen through and through, and shows no secret', async () => {
  const config = await resolve(LIVE, { plans: { p: plan(9_900) } }, everything);
  expect(`${inspect(config, { depth: 9, showHidden: true })}${JSON.stringify(config)}`).not.toContain('canary');
  for (const part of [config, config.gateway, config.channels, config.plans.p?.amount, config.limits, config.http]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test('a command that needs the database alone reads no configuration file', () => {
  const url = 'postgres://db/maedal';
  const database = databaseOf(
    readEnvironment({ MAEDAL_ENV: 'live', DATABASE_URL: url, MAEDAL_CONFIG: '/nowhere' }, '/srv'),
  );
  expect(database.kind === 'url' ? database.url.reveal() : null).toBe(url);
  expect(databaseOf(readEnvironment({}, '/srv'))).toEqual({ kind: 'embedded', dataDir: '/srv/.maedal' });
});

test('without a window of its own a policy tries again at any hour but those around midnight', async () => {
  const { policies } = await resolve({}, { dunning: { own: { window: null } } });
  expect(policies.own?.dunning.window).toEqual({ from: '01:00', until: '23:00', timezone: 'Asia/Seoul' });
});

/** The policy that is there whatever is configured. */
const SHIPPED = {
  retryAfterDays: [1, 3, 5],
  minGapHours: 24,
  paydays: [10, 25],
  window: { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' },
  jitterMinutes: 10,
  perCard: { declines: 20, days: 30 },
  waitForCardDays: 7,
  steps: [],
  end: 'unpaid',
  later: 'hold',
  classes: {
    funds: { retryAfterDays: [1, 3, 5], card: 'next' },
    card: { retryAfterDays: [], card: 'other' },
    key: { retryAfterDays: [], card: 'other' },
    time: { retryAfterDays: [1, 3, 5], card: 'same' },
    verify: { retryAfterDays: [1, 3, 5], card: 'same' },
    fraud: { retryAfterDays: [], card: 'other' },
    config: { retryAfterDays: [1, 3, 5], card: 'same' },
    other: { retryAfterDays: [1, 3], card: 'next' },
  },
};

test('what a policy says of a class stands beside what is shipped', async () => {
  const classes = {
    card: { retryAfterDays: [2, 'payday'] },
    other: { card: 'other' },
    funds: { card: 'same' },
  } as const;
  const { policies, timezone } = await resolve({}, { timezone: 'UTC', dunning: { own: { classes, end: 'cancel' } } });
  expect(timezone).toBe('UTC');
  expect(policies.own?.dunning).toEqual({
    ...SHIPPED,
    window: { ...SHIPPED.window, timezone: 'UTC' },
    end: 'cancel',
    classes: {
      ...SHIPPED.classes,
      card: { retryAfterDays: [2, 'payday'], card: 'same' },
      other: { retryAfterDays: [], card: 'other' },
      funds: { retryAfterDays: [1, 3, 5], card: 'same' },
    },
  });
});

test('a step past the end of its policy is refused with its path: nobody would ever enter it', async () => {
  const late = { name: 'late', afterDays: 13, access: 'suspended' } as const;
  await expect(
    resolve({}, { dunning: { own: { steps: [{ name: 'early', afterDays: 1 }, late] } } }),
  ).rejects.toMatchObject({
    problems: ['dunning.own.steps.1.afterDays is 13: the policy ends on day 12 at the latest'],
  });
  const last = { name: 'last', afterDays: 5 };
  await expect(
    resolve({}, { dunning: { own: { retryAfterDays: [1, 3, 5], waitForCardDays: 0, steps: [last] } } }),
  ).rejects.toMatchObject({ problems: ['dunning.own.steps.0.afterDays is 5: the policy ends on day 5 at the latest'] });
  await resolve({}, { dunning: { own: { retryAfterDays: [1, 3, 5], waitForCardDays: 7, steps: [last] } } });
  const { policies } = await resolve({}, { dunning: { own: { retryAfterDays: [1, 'payday'], steps: [late] } } });
  expect(policies.own?.dunning.steps).toEqual([late]);
});

test('what later invoices do is said of an unpaid subscription alone', async () => {
  await expect(resolve({}, { dunning: { own: { end: 'cancel', later: 'accumulate' } } })).rejects.toMatchObject({
    problems: ['dunning.own.later is accumulate: it says something where end is unpaid, and that is cancel'],
  });
});
