import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { LedgerReader } from '../../src/sandbox/ledger-file.ts';
import { arrivals, CHARGE, call, entriesIn, entriesOnce, newDirectory, openBench, text } from './fixture.ts';

const NOW_MS = Date.UTC(2027, 0, 31, 1);
const ASKED = {
  merchantUid: 'order-1',
  customerUid: 'card-1',
  impUid: null,
  minor: 9_900,
  currency: 'KRW',
  customData: '{"period":"2027-01-31"}',
};

test('a charge stands in the file as it arrived, before what it did, and how it ended behind that', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  const impUid = text(await bench.again({ custom_data: '{"period":"2027-01-31"}' }), 'imp_uid');
  expect((await entriesIn(directory)).slice(1)).toMatchObject([
    { kind: 'request', serial: 1, route: 'again', hostMs: NOW_MS, sandboxMs: NOW_MS, ...ASKED },
    { kind: 'payment', payment: { impUid, cause: { by: 'request', serial: 1 } } },
    {
      kind: 'request-ended',
      serial: 1,
      hostMs: NOW_MS,
      sandboxMs: NOW_MS,
      how: 'answered',
      httpStatus: 200,
      code: 0,
      status: 'paid',
      impUid,
      fault: null,
    },
  ]);
});

test('a cancel and a onetime charge are written down alike, the amount in the currency of the payment', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  const card = { card_number: '9410-1234-5678-1234', expiry: '2030-12' };
  const charge = { ...CHARGE, ...card, amount: 9.9, currency: 'USD' };
  const impUid = text(await bench.post('/subscribe/payments/onetime', charge), 'imp_uid');
  await bench.post('/payments/cancel', { imp_uid: impUid, amount: 1.5 });
  const entries = await entriesIn(directory);
  expect(entries.filter(({ kind }) => kind === 'request')).toMatchObject([
    { serial: 1, route: 'onetime', merchantUid: 'order-1', minor: 990, currency: 'USD' },
    { serial: 2, route: 'cancel', impUid, minor: 150, currency: 'USD' },
  ]);
  expect(entries.at(-1)).toMatchObject({ kind: 'request-ended', serial: 2, status: 'cancelled' });
});

test('a charge without a valid token is written down too', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(CHARGE) };
  expect((await call(`${bench.url}/subscribe/payments/again`, init)).status).toBe(401);
  expect((await entriesIn(directory)).slice(1)).toMatchObject([
    { kind: 'request', merchantUid: 'order-1' },
    { kind: 'request-ended', how: 'answered', httpStatus: 401, code: -1, status: null },
  ]);
});

test('two charges in flight at once are seen to be: both arrive before one of them ends', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory, modes: { chargeLatencyMs: 1_000 } });
  const arrived = entriesOnce(directory, (entries) => arrivals(entries) === 2);
  const both = [bench.again(), bench.again({ merchant_uid: 'order-2' })];
  await arrived;
  bench.clock.advance(1_000);
  await Promise.all(both);
  const kinds = (await entriesIn(directory)).map(({ kind }) => kind).filter((kind) => kind.startsWith('request'));
  expect(kinds).toEqual(['request', 'request', 'request-ended', 'request-ended']);
});

test('a charge whose connection was cut ends so', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  await bench.store('card-1', 'capture_then_drop');
  await expect(bench.again()).rejects.toThrow();
  await bench.sandbox.close();
  expect((await entriesIn(directory)).slice(2)).toMatchObject([
    { kind: 'request' },
    { kind: 'payment', payment: { status: 'paid' } },
    { kind: 'request-ended', serial: 1, how: 'cut', httpStatus: null, code: null },
  ]);
});

test("the host's time is told beside the sandbox's, which people move", async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  await bench.pass(86_400_000);
  await bench.again();
  const request = (await entriesIn(directory)).find(({ kind }) => kind === 'request');
  expect(request).toMatchObject({ hostMs: NOW_MS, sandboxMs: NOW_MS + 86_400_000 });
});

test('serials go on after a restart, and what was in flight when the sandbox died is ended', async () => {
  const directory = await newDirectory();
  const arrived = { hostMs: 1, sandboxMs: 1, ...ASKED, kind: 'request', serial: 7, route: 'again' };
  await writeFile(join(directory, 'ledger.jsonl'), `${JSON.stringify(arrived)}\n`);
  const bench = await openBench({ directory });
  await bench.again();
  const entries = await entriesIn(directory);
  expect(entries[1]).toMatchObject({ kind: 'request-ended', serial: 7, how: 'cut', hostMs: NOW_MS });
  expect(entries.filter(({ kind }) => kind === 'request')).toMatchObject([{ serial: 7 }, { serial: 8 }]);
});

test('a file from before requests were written down is read as it is', async () => {
  const directory = await newDirectory();
  const old = await openBench({ directory });
  await old.again();
  await old.sandbox.close();
  const lines = (await entriesIn(directory)).flatMap((entry) => {
    if (entry.kind.startsWith('request')) return [];
    const { cause: _cause, reversesAtMs: _reversesAtMs, ...payment } = Object(entry).payment ?? {};
    return [JSON.stringify(entry.kind === 'payment' ? { kind: 'payment', payment } : entry)];
  });
  await writeFile(join(directory, 'ledger.jsonl'), `${lines.join('\n')}\n`);
  const bench = await openBench({ directory });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
  expect((await entriesIn(directory))[1]).toMatchObject({
    payment: { reversesAtMs: null, cause: { by: 'request', serial: null } },
  });
});

test('the reader gives an entry once its line is complete, wherever the bytes were cut', () => {
  const lines = ['{"kind":"key-deleted","customerUid":"홍\u2028길동"}', '{"kind":"clock-moved","offsetMs":1}', '{"ki'];
  const bytes = Buffer.from(lines.join('\n'));
  const reader = new LedgerReader('ledger.jsonl');
  const entries = Array.from(bytes, (byte) => reader.read(Uint8Array.of(byte))).flat();
  expect(entries).toEqual([
    { kind: 'key-deleted', customerUid: '홍\u2028길동' },
    { kind: 'clock-moved', offsetMs: 1 },
  ]);
  expect(() => reader.read(Buffer.from('nd":"odd"}\n'))).toThrow('line 3 of ledger.jsonl is not a ledger entry');
});
