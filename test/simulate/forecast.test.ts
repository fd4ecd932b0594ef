import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderForecast, whyOf } from '../../src/cli/forecast-report.ts';
import { run } from '../../src/cli/program.ts';
import type { Config } from '../../src/config/config.ts';
import { importFile } from '../../src/operator/import/import-file.ts';
import { type Forecast, forecast } from '../../src/simulate/forecast.ts';
import { type Line, lineOf } from '../../src/simulate/line.ts';
import { stopSending } from '../../src/store/control.ts';
import { newDir } from '../config/temporary.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { invoiceOf, newWorld } from '../support/world.ts';
import { configWith, fileOf, play, type Subscriber, seoul, serverUrl } from './play.ts';

const SUBSCRIBERS = [
  { id: 'monthly', anchor: '2027-01-31T10:00' },
  { id: 'weekly', anchor: '2027-01-29T10:00', interval: 'week' as const },
  { id: 'late', anchor: '2026-12-15T10:00' },
];
/** Due from the 1st of February on; two of one payer. */
const MISSED = [
  { id: 'daily', anchor: '2027-02-01T10:00', interval: 'day' as const },
  { id: 'weekly', anchor: '2027-02-02T10:00', interval: 'week' as const, customer: 'kim' },
  { id: 'monthly', anchor: '2027-02-03T10:00', customer: 'kim' },
  { id: 'untouched', anchor: '2027-02-06T10:00' },
];
const FROM = '2027-01-31T09:00';
const UNTIL = '2027-03-15';

let live: TestDatabase;
let before: string;
let ahead: Forecast;
beforeAll(async () => {
  const config = await configWith();
  live = await liveWith(SUBSCRIBERS, config, FROM);
  before = await everything();
  const report = () => undefined;
  ahead = await forecast({ config, serverUrl: serverUrl(), liveUrl: live.url, until: seoul(UNTIL), report });
});
afterAll(() => live.drop());

test('a forecast names, line by line, the charges that the simulation makes', async () => {
  const lines = await play({ subscribers: SUBSCRIBERS, from: FROM, until: UNTIL });
  expect(lines.length).toBeGreaterThan(10);
  expect(ahead.attempts.map(lineOf)).toEqual(lines);
});

test.each(['latest', 'all', 'hold'] as const)(
  'after an outage, under %s, a forecast names line by line what the simulation does',
  async (catchUp) => {
    const config = await configWith({ catchUp });
    const outage = { from: '2027-02-01T00:00', until: '2027-02-05T09:30' };
    const ended = await liveWith(MISSED, config, '2027-01-31T12:00');
    try {
      await ended.setNow(seoul(outage.until));
      const options = { config, serverUrl: serverUrl(), until: seoul('2027-02-20'), report: () => undefined };
      const { attempts } = await forecast({ ...options, liveUrl: ended.url });
      const lines = await play({ subscribers: MISSED, from: '2027-01-31T12:00', until: '2027-02-20', config, outage });
      expect(lines.length).toBeGreaterThan(10);
      expect(attempts.map(lineOf)).toEqual(lines);
    } finally {
      await ended.drop();
    }
  },
);

test('a forecast says why each charge is made', () => {
  const why = Object.fromEntries(
    ahead.attempts.map((one) => [`${one.subscription} ${one.periodKey}`, whyOf(one, ahead.from)]),
  );
  expect(why).toMatchObject({
    'monthly 2027-02-28': 'the period begins',
    'weekly 2027-01-29': 'overdue',
    'late 2027-01-15': 'overdue',
  });
});

test('a forecast writes nothing into the live database', async () => {
  expect(await everything()).toBe(before);
});

test('what was declined is forecast at the next rung, and says so', async () => {
  const world = await newWorld();
  try {
    const subscription = await world.subscribe();
    world.gateway.script(`card of ${subscription}`, 'decline');
    await world.run();
    const { next_at: nextAt } = await invoiceOf(world, subscription);
    await world.advance({ hours: 3 });
    const report = () => undefined;
    const options = { config: await configWith(), serverUrl: serverUrl(), until: seoul('2027-02-20'), report };
    const { attempts, from } = await forecast({ ...options, liveUrl: world.database.url });
    expect(from.toMillis()).toBe(world.now.toMillis());
    expect(attempts.map((one) => [one.number, one.attemptDueAt, one.state, whyOf(one, from)])).toEqual([
      [2, nextAt, 'paid', 'try 2, declined before (funds)'],
    ]);
  } finally {
    await world.end();
  }
});

test('what was missed is forecast a day after the last charge of its customer, as the scheduler has it', async () => {
  const world = await newWorld('all');
  try {
    await world.subscribe({ externalId: 'charged', customer: 'kim' });
    await world.run();
    const missed = { anchorLocal: '2027-01-28T10:00:00', createdAt: world.now.minus({ days: 9 }) };
    await world.subscribe({ externalId: 'missed', customer: 'kim', ...missed });
    const report = () => undefined;
    const config = await configWith({ catchUp: 'all' });
    const options = { config, serverUrl: serverUrl(), until: seoul('2027-02-20'), report };
    const { attempts } = await forecast({ ...options, liveUrl: world.database.url });
    await world.run();
    const { next_at: nextAt } = await invoiceOf(world, 'missed');
    expect(attempts.map((one) => [one.subscription, one.periodKey, one.attemptDueAt])).toEqual([
      ['missed', '2027-01-28', nextAt],
    ]);
  } finally {
    await world.end();
  }
});

test('of what is on its way, and where sending is off, a forecast says so', async () => {
  const world = await newWorld();
  try {
    const subscription = await world.subscribe();
    world.gateway.script(`card of ${subscription}`, 'lose');
    await world.run();
    await world.advance({ minutes: 1 });
    await stopSending(world.database.db, { actor: 'cli:kim', reason: 'the shop moves house' });
    const report = () => undefined;
    const options = { config: await configWith(), serverUrl: serverUrl(), until: seoul('2027-02-20'), report };
    const { attempts, from, switchedOff } = await forecast({ ...options, liveUrl: world.database.url });
    expect(attempts.map((one) => [one.number, whyOf(one, from)])).toEqual([
      [1, 'sent already; what became of it is looked up'],
    ]);
    const [first] = renderForecast(attempts, { from, until: options.until, timezone: 'UTC', switchedOff }).split('\n');
    expect(first).toBe('Sending is off (the shop moves house): nothing is charged before `maedal send on`.');
  } finally {
    await world.end();
  }
});

test('the command lists them for people, and line by line as JSON, and asks neither PortOne nor a queue', async () => {
  const text = await printed();
  expect(text).toContain('2027-02-28 10:00  9900 KRW  monthly  2027-02-28: the period begins');
  expect(text.at(-1)).toBe(
    `${ahead.attempts.length} charges until 2027-03-15 00:00, 108900 KRW, if every card is charged`,
  );
  const json = (await printed('--json')).map((line): unknown => JSON.parse(line));
  expect(json).toEqual(
    ahead.attempts.map((one) => expect.objectContaining({ ...unnamed(lineOf(one)), outcome: 'paid' })),
  );
});

test('a day that is past has no forecast', async () => {
  const config = await configWith();
  const past = {
    config,
    serverUrl: serverUrl(),
    liveUrl: live.url,
    until: seoul('2027-01-30'),
    report: () => undefined,
  };
  await expect(forecast(past)).rejects.toThrow('2027-01-30 00:00 is past');
});

/** A database that these were imported into at an instant of Seoul. */
async function liveWith(subscribers: readonly Subscriber[], config: Config, at: string): Promise<TestDatabase> {
  const database = await freshDatabase();
  await database.setNow(seoul(at));
  const { plans, policies, timezone, chargeAt } = config;
  const rules = { plans, channels: ['default'], policies: Object.keys(policies), timezone, chargeAt };
  await importFile({ db: database.db, ...rules, sandbox: null }, await fileOf(subscribers), { dryRun: false });
  return database;
}

/** Another secret gives other ids. */
function unnamed({ merchant_uid: _, ...line }: Line): Omit<Line, 'merchant_uid'> {
  return line;
}

async function printed(...more: string[]): Promise<string[]> {
  const lines: string[] = [];
  const before = { ...process.env };
  const nowhere = { PORTONE_BASE_URL: 'http://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' };
  Object.assign(process.env, nowhere, { DATABASE_URL: live.url, MAEDAL_DATA_DIR: newDir() });
  const context = {
    print: (text: string) => void lines.push(...text.split('\n')),
    stopped: new AbortController().signal,
    mayTakeToStop: () => undefined,
  };
  try {
    let said = '';
    const code = await run(['forecast', '--until', UNTIL, ...more], context, (complaint) => {
      said += complaint;
    });
    expect([code, said]).toEqual([0, '']);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
  return lines;
}

/** Every row that a forecast could have touched, with the transaction that wrote it. */
async function everything(): Promise<string> {
  const tables = ['customer', 'billing_key', 'subscription', 'invoice', 'attempt', 'observation', 'control', 'outbox'];
  const rows = tables.concat('policy_version', 'history', 'audit').map(async (table) => {
    return live.db.$queryRawUnsafe(`SELECT xmin::text AS written, to_jsonb(t) AS row FROM ${table} t ORDER BY 2`);
  });
  return JSON.stringify(await Promise.all(rows));
}
