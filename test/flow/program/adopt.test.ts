import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { restoreBackup } from '../../support/audits.ts';
import { builtMain } from '../../support/built.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

let database: TestDatabase;
let home: string;
let sandbox: Maedal;
/** Settings of two installations on one database and one gateway account, each with a secret of its own. */
let ours: Record<string, string>;
let theirs: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  home = await mkdtemp(join(tmpdir(), 'maedal-adopt-'));
  const port = String(await freePort());
  sandbox = maedal({ MAEDAL_SANDBOX_PORT: port, MAEDAL_DATA_DIR: join(home, 'sandbox') }, 'sandbox');
  await sandbox.line(/^sandbox at/);
  ours = await installation('ours', port);
  theirs = await installation('theirs', port);
  const header =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,test_card';
  await writeFile(join(home, 'one.csv'), `${header}\nsub-1,c-1,card-1,원두,9900,KRW,month,1,2025-01-31,approve\n`);
}, 60_000);

afterAll(async () => {
  sandbox.kill('SIGTERM');
  await sandbox.ended;
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

async function installation(name: string, sandboxPort: string): Promise<Record<string, string>> {
  const dataDir = join(home, name);
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'maedal.config.ts'), 'export default {};');
  return {
    DATABASE_URL: database.url,
    MAEDAL_DATA_DIR: dataDir,
    MAEDAL_CONFIG: join(dataDir, 'maedal.config.ts'),
    MAEDAL_PORT: String(await freePort()),
    PORTONE_BASE_URL: `http://127.0.0.1:${sandboxPort}`,
    LOG_LEVEL: 'warn',
  };
}

function maedal(settings: Record<string, string>, ...args: string[]): Maedal {
  return runMaedal(builtMain(), args, settings, home);
}

/** Exit code and everything said. */
async function run(settings: Record<string, string>, ...args: string[]): Promise<[number | string, string]> {
  const process = maedal(settings, ...args);
  return [await process.ended, process.lines.join('\n')];
}

test('the first installation has the database; another one is refused whatever would write', async () => {
  expect((await run(ours, 'import', join(home, 'one.csv')))[0]).toBe(0);
  expect(await run(ours, 'bill')).toEqual([0, expect.stringMatching(/^1 paid/)]);
  for (const args of [['bill'], ['send', 'on', '--reason', 'x']]) {
    expect(await run(theirs, ...args)).toEqual([3, expect.stringMatching(/another MAEDAL_SECRET .*`maedal adopt`/)]);
  }
  const [code, says] = await run(theirs, 'doctor');
  expect(code).toBe(1);
  expect(says).toMatch(/BAD {3}fence: this installation only reads: this database belongs to another MAEDAL_SECRET/);
});

test('its roles start, charge nothing, say so, and are not ready', async () => {
  const started = maedal(theirs, 'start');
  await started.line(/^reads only: this database belongs to another MAEDAL_SECRET/);
  const credentials = await readFile(join(theirs.MAEDAL_DATA_DIR ?? '', 'credentials'), 'utf8');
  const token = /^MAEDAL_API_TOKEN=(.+)$/m.exec(credentials)?.[1] ?? '';
  const ready = await fetch(`http://127.0.0.1:${theirs.MAEDAL_PORT}/readyz`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    checks: expect.arrayContaining([expect.objectContaining({ name: 'fence', ok: false })]),
  });
  started.kill('SIGTERM');
  expect(await started.ended).toBe(0);
});

test('the kill switch works from anywhere, and comes with a reason', async () => {
  expect(await run(theirs, 'send', 'off', '--reason', 'fire')).toEqual([0, expect.stringContaining('sending is off')]);
  expect((await run(ours, 'send', 'on'))[0]).toBe(2);
  expect((await run(ours, 'send', 'on', '--reason', ' '))[0]).toBe(2);
  expect(await run(ours, 'send', 'on', '--reason', 'out')).toEqual([0, 'sending is on; it was off: fire']);
});

test('adoption asks first, is written down, and turns the tables', async () => {
  expect(await run(theirs, 'adopt', '--reason', 'moved')).toEqual([2, expect.stringContaining('give --yes')]);
  expect(await run(theirs, 'adopt', '--reason', 'moved', '--yes')).toEqual([0, expect.stringMatching(/^adopted/)]);
  expect(await run(theirs, 'adopt', '--reason', 'moved', '--yes')).toEqual([0, 'this database is adopted already']);
  expect((await run(ours, 'bill'))[0]).toBe(3);
  const [row] = await database.db.audit.findMany({ where: { action: 'database.adopted' } });
  expect(row).toMatchObject({ actor: expect.stringMatching(/^.+@.+$/), reason: 'moved' });
});

test('an old backup is adopted by force alone', async () => {
  const { db } = database;
  await restoreBackup(db, new Date('2026-01-31T01:00:00Z'));
  expect(await run(ours, 'adopt', '--reason', 'restored', '--yes')).toEqual([
    3,
    expect.stringMatching(/holds 1 payments that this database does not know, such as imps_\d+/),
  ]);
  expect((await db.control.findFirst())?.fingerprint).not.toBeNull();
  expect((await run(ours, 'adopt', '--reason', 'restored', '--yes', '--force'))[0]).toBe(0);
});

test('reconcile tells of the payment, stops the sending, and takes it for known once a person says so', async () => {
  const [code, says] = await run(ours, 'reconcile', '--from', '2020-01-01');
  expect([code, says]).toEqual([
    3,
    expect.stringMatching(/Not known here: 1\n(.*\n)* {4}imps_\d+ \(\w{32}\) carries our prefix/),
  ]);
  expect(says).toMatch(/Sending is off: the gateway holds payments of ours .*imps_\d+/);
  expect(await run(ours, 'send', 'on', '--reason', 'seen')).toEqual([
    3,
    expect.stringMatching(/imps_\d+.*--acknowledge 1$/s),
  ]);
  expect((await run(ours, 'send', 'on', '--reason', 'seen', '--acknowledge', '1'))[0]).toBe(0);
  const again = maedal(ours, 'reconcile', '--from', '2020-01-01', '--json');
  expect(await again.ended).toBe(0);
  expect(JSON.parse(again.lines.at(-1) ?? '')).toMatchObject({
    listed: 1,
    effect: 'record',
    findings: [],
    sending: { enabled: true },
  });
});

test.each([
  [['--from', 'yesterday'], /--from is 'yesterday'; write a date such as 2027-01-31/],
  [['--from', '2020-01-02', '--until', '2020-01-02'], /--from 2020-01-02 is not before --until 2020-01-02/],
])('reconcile %j is bad usage', async (args, message) => {
  expect(await run(ours, 'reconcile', ...args)).toEqual([2, expect.stringMatching(message)]);
});
