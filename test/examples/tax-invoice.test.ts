import { expect, test } from '@jest/globals';
import { event, runEventHook } from 'maedal/testing';
import { taxInvoice } from '../../examples/hooks/tax-invoice.ts';
import { openShop } from './shop.ts';

const shop = openShop();
const hook = () => taxInvoice({ issuerUrl: shop().url, token: 'issuer-token' });
const paid = event('charge.succeeded', { imp_uid: 'imps_1' }, { id: 'evt_7' });

test('a charge that succeeded has its invoice issued, under the id of the event', async () => {
  shop().answer = { status: 201, body: {} };
  expect(await runEventHook(hook(), paid)).toMatchObject({ kind: 'answered' });
  const [request] = shop().asked;
  expect(request).toMatchObject({
    method: 'POST',
    path: '/invoices',
    headers: { authorization: 'Bearer issuer-token', 'idempotency-key': 'evt_7' },
  });
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    invoice_id: paid.data.invoice_id,
    amount: 9_900,
    currency: 'KRW',
    imp_uid: 'imps_1',
  });
});

test('a charge that failed has none', async () => {
  expect(await runEventHook(hook(), event('charge.failed'))).toMatchObject({ kind: 'answered' });
  expect(shop().asked).toEqual([]);
});

test('an issuer that refuses is told again', async () => {
  shop().answer = { status: 500, body: {} };
  const run = await runEventHook(hook(), paid);
  expect(run).toMatchObject({ kind: 'failed', reason: 'it threw: the issuer answered 500', follows: 'again' });
});
