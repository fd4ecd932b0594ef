import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pause, systemClock } from '../../../src/clock.ts';
import { migrate } from '../../../src/store/migrate.ts';
import type { RequestFault } from '../../fault/proxy/fault.ts';
import { FaultProxy } from '../../fault/proxy/fault-proxy.ts';
import { readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { emptyDatabase } from '../../support/database.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

// The built program is told to stop while a charge is on its way to a gateway that takes its time.

const TOKEN = 'a-token-of-tests-long-enough';
const COLUMNS =
  'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
const CONFIG = 'export default { limits: { leaseSeconds: 20 }, channels: { default: { timeoutSeconds: 10 } } };';
const ROW = 'sub-1,c-1,card-1,원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,approve';

let home: string;
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let settings: Record<string, string>;
let sandboxUrl: string;
let gateway: FaultProxy;
let heard: (() => void) | null = null;
const running: Maedal[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-deploy-'));
  await writeFile(join(home, 'maedal.config.ts'), CONFIG);
  database = await emptyDatabase();
  await migrate(database.url);
  const sandboxPort = String(await freePort());
  sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  gateway = await FaultProxy.start({ upstream: sandboxUrl, wire: 'http', onFiring: () => heard?.() });
  settings = {
    DATABASE_URL: database.url,
    PORTONE_BASE_URL: gateway.url,
    MAEDAL_PORT: String(await freePort()),
    MAEDAL_SANDBOX_PORT: sandboxPort,
    MAEDAL_API_TOKEN: TOKEN,
  };
  await maedal('sandbox').line(/^sandbox at/);
  await subscribed([ROW]);
});

afterEach(async () => {
  for (const process of running) process.kill('SIGTERM');
  await gateway.close();
  await Promise.all(running.splice(0).map((process) => process.ended));
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

async function subscribed(rows: readonly string[]): Promise<void> {
  await writeFile(join(home, 'subscribers.csv'), [COLUMNS, ...rows, ''].join('\n'));
  expect(await maedal('import', join(home, 'subscribers.csv')).ended).toBe(0);
}

function maedal(...args: string[]): Maedal {
  const process = runMaedal(builtMain(), args, settings, home);
  running.push(process);
  return process;
}

/** A started maedal whose first charge has just left for the gateway, where this befalls it. */
async function charging(fault: RequestFault & { readonly times?: number }): Promise<Maedal> {
  const left = new Promise<void>((resolve) => {
    heard = resolve;
  });
  gateway.arm({ ...fault, match: /payments\/again/ });
  const started = maedal('start');
  await left;
  return started;
}

/** The gateway took each once, and that is what maedal, which runs now, calls paid. */
async function expectPaidOnce(charges = 1): Promise<void> {
  const { captured, paid, open } = await readAccounts(`http://127.0.0.1:${settings.MAEDAL_PORT}`, TOKEN, sandboxUrl);
  expect(captured).toHaveLength(charges);
  expect({ paid, open }).toEqual({ paid: captured, open: [] });
}

test('told to stop while a charge is on its way, it waits for the late answer, records it and ends with 0', async () => {
  const first = await charging({ kind: 'slow', delayMs: 3_000 });
  first.kill('SIGTERM');
  await first.line(/^stopping: charges in hand are finished first/);
  await first.line(/"outcome":"paid".*"charge\.finished"/);
  expect(await first.ended).toBe(0);
  expect(first.lines.at(-1)).toBe('stopped');
  const next = maedal('start');
  await next.line(/subscriptions: 1 paid/);
  expect(next.lines.filter((line) => /"(charge\.finished|capture\.accounted)"/.test(line))).toEqual([]);
  await expectPaidOnce();
});

test('a second signal ends it at once, and the next start looks up what it left and charges nothing twice', async () => {
  const first = await charging({ kind: 'black-hole', direction: 'to-client', ms: 600_000 });
  first.kill('SIGTERM');
  await first.line(/^stopping: charges in hand are finished first/);
  await pause(systemClock, 1_200); // within a second two signals are one, told twice
  first.kill('SIGTERM');
  expect(await first.ended).toBe(1);
  expect(first.lines.filter((line) => /"charge\.finished"/.test(line))).toEqual([]);
  await gateway.heal();
  const next = maedal('start');
  await next.line(/"(charge\.finished|capture\.accounted)"/);
  await expectPaidOnce();
});

test('told to stop during a long audit, it begins no charge that it has not in hand', async () => {
  await subscribed(Array.from({ length: MANY }, (_, index) => ROW.replaceAll('-1,', `-more-${index},`)));
  settings.MAEDAL_FAILPOINTS = 'audit.compared=delay:8000';
  const first = await charging({ kind: 'slow', delayMs: 1_000, times: Number.POSITIVE_INFINITY });
  first.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const finished = first.lines.filter((line) => /"charge\.finished"/.test(line)).length;
  expect(finished).toBeGreaterThan(0);
  expect(finished).toBeLessThan(MANY);
  await gateway.heal();
  delete settings.MAEDAL_FAILPOINTS;
  await maedal('start').line(new RegExp(`subscriptions: ${MANY + 1} paid`));
  await expectPaidOnce(MANY + 1);
});

/** More than one worker has in hand at once. */
const MANY = 75;
