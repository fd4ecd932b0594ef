import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { ListedSchedule } from '../../src/billing/charge.ts';
import { systemClock } from '../../src/clock.ts';
import { createPortOne } from '../../src/gateway/portone/client.ts';
import { storeTestCards } from '../../src/gateway/portone/test-cards.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import { gatewayConformance } from './conformance.ts';

gatewayConformance('the PortOne client over the sandbox', async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, directory: null, clock: systemClock });
  await storeTestCards(sandbox.url, [
    { customerUid: 'card-1', card: 'approve' },
    { customerUid: 'card-2', card: 'decline_funds' },
  ]);
  const options = { baseUrl: sandbox.url, key: 'imp_sandbox', clock: systemClock, connections: 4 };
  return {
    gateway: createPortOne({ ...options, secret: 'sandbox_secret' }),
    stranger: createPortOne({ ...options, secret: 'another-secret' }),
    approving: 'card-1',
    declining: 'card-2',
    unknown: 'card-3',
    close: () => sandbox.close(),
  };
});

test('what the sandbox is to charge by itself is listed, until it is revoked', async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, directory: null, clock: systemClock });
  await storeTestCards(sandbox.url, [{ customerUid: 'card-1', card: 'approve' }]);
  const options = { baseUrl: sandbox.url, key: 'imp_sandbox', secret: 'sandbox_secret', clock: systemClock };
  const gateway = createPortOne({ ...options, connections: 1 });
  const readiness = await gateway.ready();
  const now = DateTime.fromMillis(readiness.kind === 'ready' ? readiness.gatewayNowMs : 0);
  const at = Math.floor(now.plus({ days: 30 }).toSeconds());
  const post = async (path: string, body: unknown, authorization = '') => {
    const headers = { 'content-type': 'application/json', authorization };
    const answer = await fetch(`${sandbox.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return JSON.parse(await answer.text()).response;
  };
  const { access_token: token } = await post('/users/getToken', {
    imp_key: 'imp_sandbox',
    imp_secret: 'sandbox_secret',
  });
  const charge = { merchant_uid: 'booked-1', schedule_at: at, currency: 'KRW', amount: 9_900, name: '월간 구독' };
  await post('/subscribe/payments/schedule', { customer_uid: 'card-1', schedules: [charge] }, token);
  const listed = async (of: { customerUid?: string } = {}) => {
    const items: ListedSchedule[] = [];
    const window = { from: now, until: now.plus({ days: 89 }), ...of };
    const listing = await gateway.schedules(window, async (page) => void items.push(...page));
    expect(listing).toEqual({ kind: 'whole', count: items.length });
    return items;
  };
  expect(await listed()).toEqual([
    { merchantUid: 'booked-1', customerUid: 'card-1', scheduleAtMs: at * 1_000, isPending: true },
  ]);
  expect(await listed({ customerUid: 'card-1' })).toHaveLength(1);
  expect(await listed({ customerUid: 'card-2' })).toEqual([]);
  await post('/subscribe/payments/unschedule', { customer_uid: 'card-1' }, token);
  expect(await listed()).toEqual([]);
  await gateway.close();
  await sandbox.close();
});
