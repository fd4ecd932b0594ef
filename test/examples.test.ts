import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import type { Config } from '../src/config/config.ts';
import { resolveConfig } from '../src/config/resolve.ts';
import { readRow } from '../src/operator/import/row.ts';
import { readRows } from '../src/operator/import/source.ts';
import { fillTemplate } from '../src/operator/import/template.ts';
import { findTestCard } from '../src/sandbox/cards.ts';
import type { StagedRow } from '../src/store/import.ts';
import { type ImportWorld, newImportWorld } from './operator/import/world.ts';

const TEMPLATE = readFileSync(example('subscribers.template.csv'), 'utf8');
const NEWCOMERS = readFileSync(example('newcomers.csv'), 'utf8');
const anyInstant = fc.date({
  min: new Date('2026-01-01T00:00:00Z'),
  max: new Date('2032-12-31T23:59:59Z'),
  noInvalidDate: true,
});

let folder: string;
let config: Config;
let world: ImportWorld;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maedal-examples-'));
  config = await resolveConfig({ env: { MAEDAL_CONFIG: example('maedal.config.ts') }, cwd: folder });
  world = await newImportWorld();
});
afterAll(async () => {
  await world.end();
  rmSync(folder, { recursive: true });
});

test('on any day the subscribers are good rows, with at least 25 due at once and 25 that are not', async () => {
  await fc.assert(
    fc.asyncProperty(anyInstant, async (date) => {
      const now = DateTime.fromJSDate(date, { zone: 'utc' });
      const rows = await read(fillTemplate(TEMPLATE, now, config.timezone), now);
      expect(rows.length).toBeGreaterThanOrEqual(64);
      const due = rows.filter(({ subscription }) => subscription.nextDueAt <= now);
      expect(due.length).toBeGreaterThanOrEqual(25);
      expect(rows.length - due.length).toBeGreaterThanOrEqual(25);
    }),
    { numRuns: 100 },
  );
});

test('on any day the importer takes the subscribers', async () => {
  await fc.assert(
    fc.asyncProperty(anyInstant, async (date) => {
      await world.setNow(date.toISOString());
      const text = fillTemplate(TEMPLATE, DateTime.fromJSDate(date), config.timezone);
      expect(await world.import(text, { dryRun: true, deps: settings() })).toMatchObject({
        imported: 66,
        unchanged: 0,
      });
    }),
    { numRuns: 20 },
  );
});

test.each(['2026-01-01', '2027-01-31', '2027-02-28', '2027-12-31', '2028-02-29', '2028-03-01', '2032-12-31'])(
  'at a first start on %s, 34 are charged at once and the newcomers join them',
  async (day) => {
    await world.db.$executeRaw`TRUNCATE customer, billing_key, subscription CASCADE`;
    await world.setNow(`${day}T12:00:00+09:00`);
    const now = DateTime.fromISO(`${day}T12:00:00+09:00`);
    await world.import(fillTemplate(TEMPLATE, now, config.timezone), { deps: settings() });
    expect(await dueNow()).toBe(34);
    expect(await world.import(NEWCOMERS, { deps: settings() })).toEqual({ imported: 5, unchanged: 0, customers: 5 });
    expect(await dueNow()).toBe(39);
  },
);

test('the subscribers show every plan, awkward anchors, and cards that are declined in different ways', async () => {
  const now = DateTime.fromISO('2027-03-10T03:00:00Z');
  const rows = await read(fillTemplate(TEMPLATE, now, config.timezone), now);
  expect(new Set(rows.map(({ subscription }) => subscription.plan))).toEqual(new Set(Object.keys(config.plans)));
  const days = new Set(rows.map(({ subscription }) => subscription.anchorLocal.slice(5, 10)));
  expect([...days]).toEqual(expect.arrayContaining(['01-29', '01-30', '01-31', '02-28', '02-29', '12-31']));

  const due = rows.filter(({ subscription }) => subscription.nextDueAt <= now).map(({ testCard }) => testCard ?? '');
  expect(due.filter((card) => card === 'approve').length).toBeGreaterThan(due.length / 2);
  expect(new Set(due.filter((card) => card.startsWith('decline_'))).size).toBeGreaterThanOrEqual(5);
  const late = rows.filter(({ testCard }) => testCard === 'capture_late' || testCard === 'pending_then_paid');
  expect(late).toHaveLength(1);
});

test('no example card leaves a charge without an answer for ever', async () => {
  const now = DateTime.fromISO('2027-03-10T03:00:00Z');
  const rows = await read(fillTemplate(TEMPLATE, now, config.timezone), now);
  const cards = [...rows, ...(await read(NEWCOMERS, now))].map(({ testCard }) => findTestCard(testCard ?? ''));
  for (const card of cards) {
    expect(card?.course.leaves).not.toBe('nothing');
    expect(card?.course.leaves).not.toBe('failed-then-paid');
    expect(card?.course.answer).not.toBe('refusal');
  }
});

test('every row with a date relative to today lies in the zone that today is taken in', () => {
  const relative = TEMPLATE.split('\n').filter((line) => line.includes('{{'));
  expect(relative.length).toBeGreaterThan(0);
  for (const line of relative) expect(line).toContain(`,${config.timezone},`);
});

function example(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
}

/** What the importer is told by the example's own configuration. */
function settings() {
  const { plans, timezone, chargeAt, channels } = config;
  return { plans, timezone, chargeAt, channels: Object.keys(channels) };
}

/** The rows of a file, each of which must be good by itself. */
async function read(text: string, now: DateTime): Promise<Omit<StagedRow, 'line' | 'note'>[]> {
  const path = join(folder, 'rows.csv');
  writeFileSync(path, text);
  const rows: Omit<StagedRow, 'line' | 'note'>[] = [];
  const isTestCard = (card: string) => findTestCard(card) !== null;
  for await (const source of readRows(path)) {
    const reading =
      source.kind === 'row' ? readRow(source.cells, { ...settings(), policies: ['default'], isTestCard }, now) : source;
    if (reading.kind !== 'good') throw new Error(`line ${source.line}: ${JSON.stringify(reading)}`);
    rows.push(reading.row);
  }
  return rows;
}

async function dueNow(): Promise<number> {
  const [row] = await world.db.$queryRaw<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM subscription WHERE next_due_at <= maedal_now()`;
  return row?.count ?? 0;
}
