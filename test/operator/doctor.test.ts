import { describe, expect, test } from '@jest/globals';
import { type Checkup, diagnose, renderFindings } from '../../src/operator/doctor.ts';
import type { Finding } from '../../src/operator/finding.ts';

const HOST = Date.parse('2027-01-31T01:00:00Z');
const facts = { version: '18.1', nowMs: HOST, pendingMigrations: [], keys: { sandbox: 0, live: 3 } };
const redis = { version: '7.0.15', maxmemoryPolicy: 'noeviction', aofEnabled: true, rdbSave: '' };
const standing: NonNullable<Checkup['standing']> = {
  fence: { kind: 'open' },
  switchedOff: null,
  audited: { at: new Date(HOST), counts: true },
  schedulesUnclear: null,
  shortestDays: 1,
  missing: [],
  events: { told: ['shop'], disabled: [], deliveries: [] },
};
const healthy: Checkup = {
  environment: 'live',
  daysBetweenTicks: 1,
  standing,
  database: { facts, hostNowMs: HOST },
  redis,
  gateway: { readiness: { kind: 'ready', gatewayNowMs: HOST }, hostNowMs: HOST, isSandbox: false },
  secretIsGenerated: false,
};
const finding = (checkup: Checkup, name: string): Finding => {
  const found = diagnose(checkup).filter((each) => each.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Finding;
};
const levelOf = (changes: Partial<Checkup>, name: string) => finding({ ...healthy, ...changes }, name).level;

test('a healthy installation is asked about Recovery, and about nothing else', () => {
  expect(
    diagnose(healthy)
      .filter(({ level }) => level !== 'ok')
      .map(({ name }) => name),
  ).toEqual(['recovery']);
});

test('the sandbox has no Recovery to ask about', () => {
  const checkup: Checkup = { ...healthy, environment: 'test', gateway: { ...healthy.gateway, isSandbox: true } };
  expect(finding(checkup, 'recovery').level).toBe('ok');
});

test.each([
  [
    'database',
    { database: { error: new Error('\nInvalid call\n\nCannot reach 127.0.0.1:1') } },
    'Cannot reach 127.0.0.1:1',
  ],
  ['database', { database: { facts: { ...facts, version: '13.9 (Debian)' }, hostNowMs: HOST } }, '13.9'],
  ['migrations', { database: { facts: { ...facts, pendingMigrations: ['1_a', '2_b'] }, hostNowMs: HOST } }, '1_a, 2_b'],
  ['redis', { redis: { error: new Error('') } }, 'Error'],
  ['redis', { redis: { ...redis, version: '4.0.9' } }, '4.0.9'],
  ['redis eviction', { redis: { ...redis, maxmemoryPolicy: 'allkeys-lru' } }, 'allkeys-lru'],
  ['gateway', { gateway: { ...healthy.gateway, readiness: { kind: 'refused', reason: '인증 실패' } } }, '인증 실패'],
  ['gateway', { gateway: { ...healthy.gateway, readiness: { kind: 'unreachable', reason: 'timeout' } } }, 'timeout'],
  ['environment', { gateway: { ...healthy.gateway, isSandbox: true } }, 'the gateway is the sandbox'],
  ['environment', { environment: 'test' }, '3 stored cards live cards'],
  [
    'fence',
    { standing: { ...standing, fence: { kind: 'foreign', reason: 'it was moved' } } },
    'only reads: it was moved',
  ],
  [
    'sending',
    { standing: { ...standing, switchedOff: { reason: 'imps_1', by: 'maedal/audit' } } },
    'imps_1 (maedal/audit)',
  ],
  ['schedules', { standing: { ...standing, schedulesUnclear: 'HTTP 500' } }, 'HTTP 500'],
] satisfies [string, Partial<Checkup>, string][])('%s is bad in %j', (name, changes, words) => {
  const { level, says, doThis } = finding({ ...healthy, ...changes }, name);
  expect({ level, doThis }).toEqual({ level: 'bad', doThis: expect.any(String) });
  expect(says).toContain(words);
});

test.each([
  ['redis', { redis: { ...redis, version: '6.0.16' } }],
  ['redis persistence', { redis: { ...redis, aofEnabled: false, rdbSave: '3600 1' } }],
  ['environment', { database: { facts: { ...facts, keys: { sandbox: 2, live: 0 } }, hostNowMs: HOST } }],
  ['backup', { secretIsGenerated: true }],
  ['fence', { standing: { ...standing, fence: { kind: 'not-adopted', reason: 'not adopted' } } }],
  ['ticks', { daysBetweenTicks: 7 }],
  ['ticks', { daysBetweenTicks: Number.POSITIVE_INFINITY }],
  ['audit', { standing: { ...standing, audited: null } }],
  ['audit', { standing: { ...standing, audited: { at: new Date(HOST), counts: false } } }],
] satisfies [string, Partial<Checkup>][])('%s is a warning in %j', (name, changes) => {
  expect(levelOf(changes, name)).toBe('warn');
});

test.each([
  ['ticks', { daysBetweenTicks: 25 / 24 }],
  ['ticks', { daysBetweenTicks: 7, standing: { ...standing, shortestDays: null } }],
  ['redis', { redis: { ...redis, version: '6.2.0' } }],
  ['redis', { redis: { ...redis, version: '10.1.0' } }],
  ['queue', { redis: null }],
  ['environment', { database: { facts: { ...facts, keys: null }, hostNowMs: HOST } }],
] satisfies [string, Partial<Checkup>][])('%s is fine in %j', (name, changes) => {
  expect(levelOf(changes, name)).toBe('ok');
});

describe('clocks', () => {
  const clocks = (databaseMs: number, gatewayMs: number): Partial<Checkup> => ({
    database: { facts: { ...facts, nowMs: HOST + databaseMs }, hostNowMs: HOST },
    // Asked two seconds later: what counts is how far each is from this host's clock at its own reading.
    gateway: {
      readiness: { kind: 'ready', gatewayNowMs: HOST + 2_000 + gatewayMs },
      hostNowMs: HOST + 2_000,
      isSandbox: false,
    },
  });
  test.each([
    // database, gateway against this host → host clock, database clock
    [0, 0, 'ok', 'ok'],
    [5_000, 0, 'ok', 'ok'],
    [-5_001, 0, 'warn', 'warn'],
    [-3_000, 3_000, 'ok', 'warn'],
    [3_600_000, 3_600_000, 'warn', 'ok'],
    [0, 300_000, 'ok', 'warn'],
    [0, 300_001, 'ok', 'bad'],
    [0, -300_001, 'ok', 'bad'],
  ] as const)('%i ms and %i ms off: host %s, database %s', (databaseMs, gatewayMs, host, database) => {
    const changes = clocks(databaseMs, gatewayMs);
    expect([levelOf(changes, 'host clock'), levelOf(changes, 'database clock')]).toEqual([host, database]);
  });

  test('are not compared with one that could not be read', () => {
    const names = (changes: Partial<Checkup>) => diagnose({ ...healthy, ...changes }).map(({ name }) => name);
    expect(names({ database: { error: new Error('away') } })).not.toContain('host clock');
    const gateway = { ...healthy.gateway, readiness: { kind: 'unreachable', reason: 'away' } } as const;
    expect(names({ gateway })).toContain('host clock');
    expect(names({ gateway })).not.toContain('database clock');
  });
});

test('policies and channels that left the configuration are named, with what happens to their subscriptions', () => {
  const missing = [
    { kind: 'policy', name: 'gentle', subscriptions: 12 },
    { kind: 'policy', name: 'vip', subscriptions: 1 },
    { kind: 'channel', name: 'nice', subscriptions: 3 },
  ] as const;
  const checkup = { ...healthy, standing: { ...standing, missing } };
  expect(finding(checkup, 'policies')).toMatchObject({
    level: 'warn',
    says: expect.stringMatching(/'gentle' \(12 subscriptions\), 'vip' \(1 subscription\); .* collected by 'default'/),
    doThis: expect.stringContaining('dunning'),
  });
  expect(finding(checkup, 'channels')).toMatchObject({ level: 'warn', says: expect.stringContaining("'nice' (3") });
});

test.each([
  [
    { told: ['shop'], disabled: [{ name: 'shop', disabledAt: new Date(HOST), reason: 'it answered 410 Gone' }] },
    '410 Gone',
    'enable shop',
  ],
  [
    { told: ['shop'], deliveries: [{ name: 'shop', waiting: 0, overdue: 0, givenUp: 3 }] },
    '3 of the last ten days',
    'replay',
  ],
  [
    { told: ['shop'], deliveries: [{ name: 'shop', waiting: 4, overdue: 2, givenUp: 0 }] },
    '2 wait for shop longer',
    'worker',
  ],
  [
    { told: [], deliveries: [{ name: 'old', waiting: 4, overdue: 0, givenUp: 0 }] },
    'configured no more',
    'put it back',
  ],
])('events that do not arrive are a warning: %j', (events, says, doThis) => {
  const checkup = { ...healthy, standing: { ...standing, events: { ...standing.events, ...events } } };
  expect(finding(checkup, 'events')).toMatchObject({
    ...{ level: 'warn', says: expect.stringContaining(says), doThis: expect.stringContaining(doThis) },
  });
});

test('the text has one line for each finding, and one more for what to do', () => {
  expect(
    renderFindings([
      { name: 'a', level: 'ok', says: 'fine' },
      { name: 'b', level: 'warn', says: 'hm', doThis: 'look' },
    ]),
  ).toBe('OK    a: fine\nWARN  b: hm\n      → look');
});
