import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { BeforeCharge } from '../../../../src/billing/hook.ts';
import type { Entry } from '../../../../src/sandbox/entry.ts';
import { bound } from '../../../../src/store/charge-store.ts';
import { keepAnswer, readBefore } from '../../../../src/store/hook-answers.ts';
import { takeUpEvents } from '../../../../src/store/outbox.ts';
import { FINGERPRINT, newWorld, type World } from '../../../support/world.ts';
import { BEFORE_HOOKS, chargedOf } from '../hooks.ts';
import type { Asking, Telling } from '../merchant.ts';
import type { Asked } from '../postgres.ts';
import { priceOf } from '../subscribers.ts';
import { booksOf, paid, request } from './entries.ts';
import { ANSWERS_COUNTED, judgeHooks } from './hooks.ts';

// Each rule of the oracle about hooks and events is broken here once, on what one charge of `sub-4` left.

let world: World;
let client: pg.Client;
let asked: Asked;
const askings: Asking[] = [];
beforeAll(async () => {
  world = await newWorld();
  client = new pg.Client({ connectionString: world.database.url });
  await client.connect();
  await client.query(ANSWERS_COUNTED);
  asked = { query: async (sql, values = []) => (await client.query(sql, [...values])).rows };
  const { db } = world.database;
  const before = {
    hooks: BEFORE_HOOKS.map((name) => ({ name, timeoutMs: 1_000, onError: 'defer' as const })),
    ask: async ({ name }: { name: string }, key: string, payload: string) => {
      askings.push({ hook: name, key });
      const { subscription }: BeforeCharge = JSON.parse(payload);
      const adjusted = { kind: 'adjust', amount: subscription.amount / 2 };
      return { kind: 'answered', value: name === 'coupon' ? adjusted : { kind: 'proceed' } } as const;
    },
    read: bound(db, readBefore),
    keep: bound(db, keepAnswer),
    ceilings: {},
    channel: (name: string) => ({ name, pg: null, mode: 'test' as const }),
  };
  Object.assign(world.worker, { before });
  await world.subscribe({ externalId: 'sub-4', amount: priceOf(4) });
  await world.run();
  await takeUpEvents(db, [], { limit: 100, fingerprint: FINGERPRINT });
});
afterAll(async () => {
  await client.end();
  await world.end();
});

async function tellings(): Promise<Telling[]> {
  const rows = await client.query(
    'SELECT event_id AS id, kind AS type, sequence::float8 AS sequence FROM outbox ORDER BY id',
  );
  const all = rows.rows.map((row: Omit<Telling, 'at' | 'mark'>) => ({ ...row, at: '/events', mark: 'bytes' }));
  const charges = all.filter(({ type }) => type === 'charge.succeeded');
  return [...all, ...['/after', '/function'].flatMap((at) => charges.map((one) => ({ ...one, at })))];
}

const captured = (minor: number): Entry[] => {
  const customData = JSON.stringify({ subscription: 'sub-4', period: '2027-01-31' });
  return [{ ...request(1), minor, customData }, paid('imps_1', { minor, customData })];
};

type Broken = {
  readonly minor?: number;
  readonly sql?: string;
  readonly askings?: (all: readonly Asking[]) => readonly Asking[];
  readonly tellings?: (all: readonly Telling[]) => readonly Telling[];
};

test.each<[string, readonly string[], Broken]>([
  ['everything as it should be', [], {}],
  ['charged and captured at its price', ['I8', 'I8'], { minor: priceOf(4) }],
  ['a URL asked again after the answer was kept', ['I13'], { askings: (all) => [...all, ...all.slice(0, 1)] }],
  ['a function asked once more at once', [], { askings: (all) => [...all, ...all.slice(-1)] }],
  ['a function asked again after that', ['I13'], { askings: (all) => [...all, ...all.slice(-1), ...all.slice(-1)] }],
  ['sent without an asking', ['I13'], { askings: (all) => all.slice(1) }],
  ['sent although a hook had deferred', ['I13'], { sql: `UPDATE hook_answer SET kind = 'defer' WHERE hook = 'stock'` }],
  ['an event that arrived nowhere', ['I10'], { tellings: (all) => all.slice(1) }],
  ['a hook that was not told of its charge', ['I10'], { tellings: (all) => all.slice(0, -1) }],
  ['an event told twice', [], { tellings: (all) => [...all, ...all] }],
  [
    'told twice with other bytes',
    ['I10'],
    { tellings: (all) => [...all, ...all.map((one) => ({ ...one, mark: 'others' })).slice(0, 1)] },
  ],
  ['a number left out', ['I10'], { sql: `UPDATE outbox SET sequence = 100 WHERE kind = 'invoice.paid'` }],
])('%s breaks %j', async (_, broken, { minor = chargedOf(4), sql = '', askings: alter, tellings: change }) => {
  await client.query('BEGIN');
  await client.query(`SET LOCAL session_replication_role = replica; ${sql}`);
  const told = await tellings();
  const heard = { asked: alter?.(askings) ?? askings, told: change?.(told) ?? told };
  const violations = await judgeHooks(asked, booksOf(captured(minor)), heard);
  await client.query('ROLLBACK');
  expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
});
