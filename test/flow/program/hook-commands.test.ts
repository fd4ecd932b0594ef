import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Db, openDb } from '../../../src/store/db.ts';
import { Installation } from '../../support/installation.ts';

let shop: Installation;
let db: Db;
beforeAll(async () => {
  shop = await Installation.withSandbox(
    `import { appendFileSync } from 'node:fs';
     const told = ({ hook, dryRun }) => appendFileSync(new URL('calls', import.meta.url), hook + (dryRun ? ' dry' : '') + ' ');
     const shop = { name: 'shop', url: 'http://127.0.0.1:9/', allowAddresses: ['127.0.0.1'], secret: 'a-secret-of-the-tests-alone' };
     export default { events: { endpoints: [shop] }, hooks: { beforeCharge: [
       { name: 'half', run: (context) => { told(context); return { kind: 'adjust', amount: context.subscription.amount / 2 }; } },
       { name: 'gate', run: (context) => { told(context); return { kind: context.dryRun ? 'maybe' : 'proceed' }; }, onError: 'block' },
       { name: 'last', run: (context) => { told(context); return { kind: 'proceed' }; } },
     ] } };`,
  );
  db = openDb({ url: shop.settings.DATABASE_URL ?? '', who: 'maedal/test' });
  await shop.subscribe({ 'sub-0': 'approve' });
});

afterAll(async () => {
  await db.$disconnect();
  await shop.close();
});

function calls(): string[] {
  const path = join(shop.home, 'calls');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ') : [];
}

test('kill -9 between a kept answer and its intent: the charge is of what was answered, and nobody is asked twice', async () => {
  const killed = shop.maedalWith({ MAEDAL_FAILPOINTS: 'hook.kept=kill' }, 'bill');
  expect(await killed.ended).toBe('SIGKILL');
  expect(calls()).toEqual(['half']);
  expect(await db.attempt.findFirstOrThrow()).toMatchObject({ state: 'prepared', send_count: 0, amount: null });
  // Its lease is over.
  await db.$executeRaw`UPDATE attempt SET lease_until = maedal_now()`;
  await db.$executeRaw`UPDATE invoice SET next_at = maedal_now()`;
  expect(await shop.maedal('bill').ended).toBe(0);
  expect(calls()).toEqual(['half', 'gate', 'last']);
  expect(await db.attempt.findFirstOrThrow()).toMatchObject({ state: 'paid', send_count: 1, amount: 4_950n });
});

test('hooks test asks about a real invoice until a hook lets it go no further, and stores nothing', async () => {
  const { id, state } = await db.invoice.findFirstOrThrow();
  const answers = await db.hook_answer.findMany();
  const asked = calls().length;
  const tried = shop.maedal('hooks', 'test', '--invoice', id);
  await tried.line(new RegExp(`^Invoice ${id}: 4950 KRW of sub-0 for \\d{4}-\\d\\d-\\d\\d, attempt 1\\.$`));
  await tried.line(/^half \(\d+ ms\): \{"kind":"adjust","amount":4950\}$/);
  await tried.line(/^ {2}charge 4950 KRW$/);
  await tried.line(/^gate \(\d+ ms\): failed, its answer is none/);
  await tried.line(/^ {2}held: hook gate: its answer is none/);
  await tried.line(/^last: not asked$/);
  await tried.line(/^Nothing was charged, and no answer was kept\.$/);
  expect(await tried.ended).toBe(0);
  expect(calls().slice(asked).join(' ')).toBe('half dry gate dry');
  expect(await db.hook_answer.findMany()).toEqual(answers);
  expect(await db.invoice.findFirstOrThrow()).toMatchObject({ id, state });
});

test('hooks test prints JSON, and says which invoice there is none of', async () => {
  const { id } = await db.invoice.findFirstOrThrow();
  const tried = shop.maedal('hooks', 'test', '--invoice', id, '--json');
  expect(JSON.parse(await tried.line(/^\{"invoice_id"/))).toMatchObject({
    invoice_id: id,
    attempt: 1,
    hooks: [
      {
        hook: 'half',
        answer: { kind: 'adjust', amount: 4_950 },
        error: null,
        comes_to: { kind: 'charge', amount: 4_950 },
      },
      { hook: 'gate', answer: null, error: expect.stringContaining('its answer is none'), comes_to: { kind: 'held' } },
    ],
    unasked: ['last'],
  });
  expect(await tried.ended).toBe(0);
  const unknown = shop.maedal('hooks', 'test', '--invoice', 'imps_404');
  await unknown.line(/there is no invoice, charge or payment 'imps_404'/);
  expect(await unknown.ended).toBe(2);
});

test('events tells how deliveries stand, and replay what would go', async () => {
  const standing = shop.maedal('events');
  await standing.line(/^shop: [1-9]\d* waiting, 0 given up in ten days$/); // nobody listens there
  expect(await standing.ended).toBe(0);
  const wish = ['--from', '2025-01-01', '--type', 'invoice.paid', '--type', 'refund.failed'];
  const replay = shop.maedal('events', 'replay', ...wish, '--dry-run', '--json');
  expect(JSON.parse(await replay.line(/^\{/))).toEqual({
    endpoints: [{ name: 'shop', deliveries: 1, disabled: false }],
    dry_run: true,
  });
  expect(await replay.ended).toBe(0);
  const wrong = shop.maedal('events', 'enable', 'shop');
  await wrong.line(/'shop' is not left alone/);
  expect(await wrong.ended).toBe(2);
});

/** An event that happened so many days ago; `told` to the shop, or still on its way there, or not taken up yet. */
async function happened(kind: string, days: number, standing: 'told' | 'waits' | 'fresh'): Promise<void> {
  const isTaken = standing !== 'fresh';
  await db.$executeRaw`
    WITH event AS (
      INSERT INTO outbox (kind, payload, created_at, relayed_at, next_at)
      SELECT ${kind}, '{}', now - make_interval(days => ${days}::integer), CASE WHEN ${isTaken} THEN now END,
             CASE WHEN NOT ${isTaken} THEN now END
        FROM maedal_now() AS now RETURNING id
    )
    INSERT INTO delivery (outbox_id, endpoint, next_at, delivered_at)
    SELECT id, 'shop', CASE WHEN ${standing === 'waits'} THEN now END, CASE WHEN ${standing === 'told'} THEN now END
      FROM event, maedal_now() AS now WHERE ${isTaken}`;
}

test.each([
  ['bill', ['bill']],
  ['start', ['start', '--roles', 'worker']],
])(
  'maedal %s forgets the events of more than 90 days ago, and none that is still to be delivered',
  async (name, args) => {
    await happened(`${name}.old_and_told`, 91, 'told');
    await happened(`${name}.young_and_told`, 89, 'told');
    await happened(`${name}.old_and_waiting`, 91, 'waits');
    await happened(`${name}.old_and_fresh`, 91, 'fresh');
    const forgetting = shop.maedal(...args);
    if (name === 'start') {
      await forgetting.line(/^maedal is running/);
      forgetting.kill('SIGTERM'); // what it has begun it finishes
    }
    expect(await forgetting.ended).toBe(0);
    const left = await db.outbox.findMany({ where: { kind: { startsWith: `${name}.` } }, orderBy: { id: 'asc' } });
    expect(left.map(({ kind }) => kind)).toEqual(
      ['young_and_told', 'old_and_waiting', 'old_and_fresh'].map((rest) => `${name}.${rest}`),
    );
  },
);
