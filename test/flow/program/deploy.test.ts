import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pause, systemClock } from '../../../src/clock.ts';
import type { RequestFault } from '../../fault/proxy/fault.ts';
import { FaultProxy } from '../../fault/proxy/fault-proxy.ts';
import { cards, Installation } from '../../support/installation.ts';
import type { Maedal } from '../../support/process.ts';

// The built program is told to stop while a charge is on its way to a gateway that takes its time.

const CONFIG = 'export default { limits: { leaseSeconds: 20 }, channels: { default: { timeoutSeconds: 10 } } };';

let shop: Installation;
let gateway: FaultProxy;
let heard: (() => void) | null = null;

beforeEach(async () => {
  shop = await Installation.withSandbox(CONFIG);
  gateway = await FaultProxy.start({ upstream: shop.sandboxUrl, wire: 'http', onFiring: () => heard?.() });
  shop.settings.PORTONE_BASE_URL = gateway.url;
  await shop.subscribe({ 'sub-1': 'approve' });
});

afterEach(async () => {
  const stopped = shop.stop();
  await gateway.close();
  await stopped;
  await shop.close();
});

/** A started maedal whose first charge has just left for the gateway, where this befalls it. */
async function charging(fault: RequestFault & { readonly times?: number }): Promise<Maedal> {
  const left = new Promise<void>((resolve) => {
    heard = resolve;
  });
  gateway.arm({ ...fault, match: /payments\/again/ });
  const started = shop.maedal('start');
  await left;
  return started;
}

/** The gateway took each once, and that is what maedal, which runs now, calls paid. */
async function expectPaidOnce(charges = 1): Promise<void> {
  const { captured, paid, open } = await shop.accounts();
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
  const next = shop.maedal('start');
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
  const next = shop.maedal('start');
  await next.line(/"(charge\.finished|capture\.accounted)"/);
  await expectPaidOnce();
});

test('told to stop during a long audit, it begins no charge that it has not in hand', async () => {
  await shop.subscribe(cards('more', MANY));
  shop.settings.MAEDAL_FAILPOINTS = 'audit.compared=delay:8000';
  const first = await charging({ kind: 'slow', delayMs: 1_000, times: Number.POSITIVE_INFINITY });
  first.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const finished = first.lines.filter((line) => /"charge\.finished"/.test(line)).length;
  expect(finished).toBeGreaterThan(0);
  expect(finished).toBeLessThan(MANY);
  await gateway.heal();
  delete shop.settings.MAEDAL_FAILPOINTS;
  await shop.maedal('start').line(new RegExp(`subscriptions: ${MANY + 1} paid`));
  await expectPaidOnce(MANY + 1);
});

/** More than one worker has in hand at once. */
const MANY = 75;
