import { existsSync } from 'node:fs';
import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startSandbox } from '../../src/sandbox/server.ts';
import { CARD, HandClock, newDirectory, openBench, text } from './fixture.ts';

test('keys, payments, captures, cancels and the clock are there again after a restart', async () => {
  const directory = await newDirectory();
  const before = await openBench({ directory });
  await before.post('/subscribe/customers/card-2', { ...CARD, customer_name: '홍\u2028길동' });
  await before.post('/subscribe/customers/card-3', CARD);
  await before.delete('/subscribe/customers/card-3');
  const imp_uid = text(await before.again({ customer_uid: 'card-2' }), 'imp_uid');
  await before.post('/payments/cancel', { imp_uid, amount: 900 });
  await before.pass(3_600_000);
  const paths = [
    '/subscribe/customers/card-2',
    '/subscribe/customers/card-3',
    '/payments/findAll/order-1',
    '/_sandbox/ledger',
    '/_sandbox/clock',
  ];
  const told = await Promise.all(paths.map((path) => before.get(path)));
  await before.sandbox.close();
  const after = await openBench({ directory });
  expect(await Promise.all(paths.map((path) => after.get(path)))).toEqual(told);
  const next = await after.again({ merchant_uid: 'order-2' });
  expect(text(next, 'imp_uid')).not.toBe(imp_uid);
});

test('what was answered is in the file already: a copy taken at any moment has it', async () => {
  const directory = await newDirectory();
  const running = await openBench({ directory });
  await Promise.all(Array.from({ length: 50 }, (_, index) => running.again({ merchant_uid: `order-${index}` })));
  const copy = await newDirectory();
  await copyFile(join(directory, 'ledger.jsonl'), join(copy, 'ledger.jsonl'));
  const restored = await openBench({ directory: copy });
  expect((await restored.get('/_sandbox/ledger')).body).toEqual((await running.get('/_sandbox/ledger')).body);
});

test('a last line that a crash cut short is removed, and the ledger goes on behind it', async () => {
  const directory = await newDirectory();
  const before = await openBench({ directory });
  await before.again();
  await before.sandbox.close();
  const file = join(directory, 'ledger.jsonl');
  const whole = await readFile(file, 'utf8');
  await appendFile(file, '{"kind":"payment","payment":{"impUid":"imps_');
  const after = await openBench({ directory });
  expect(await readFile(file, 'utf8')).toBe(whole);
  await after.again({ merchant_uid: 'order-2' });
  await after.sandbox.close();
  const again = await openBench({ directory });
  expect((await again.get('/_sandbox/ledger')).body).toMatchObject({
    data: [{ merchant_uid: 'order-1' }, { merchant_uid: 'order-2' }],
  });
});

test('a line in the middle that is no entry is named, and nothing starts', async () => {
  const directory = await newDirectory();
  await writeFile(join(directory, 'ledger.jsonl'), '{"kind":"clock-moved","offsetMs":0}\n{"kind":"odd"}\n{}\n');
  await expect(openBench({ directory })).rejects.toThrow(/line 2 of .*ledger\.jsonl is not a ledger entry/);
});

test.each([
  [3_000, 'after the restart', 0],
  [2_999, 'while it was down', 1],
])('late captures and flips due %i ms after the charge, %s, still happen', async (waitMs, _when, moreMs) => {
  const directory = await newDirectory();
  const clock = new HandClock();
  const before = await openBench({ directory, clock });
  await before.store('card-1', 'capture_late');
  await before.store('card-2', 'flip_to_paid');
  await expect(before.again()).rejects.toThrow();
  await before.again({ customer_uid: 'card-2', merchant_uid: 'order-2' });
  await before.sandbox.close();
  clock.advance(waitMs);
  const after = await openBench({ directory, clock });
  clock.advance(moreMs);
  expect((await after.get('/_sandbox/ledger')).body).toMatchObject({
    data: [
      { merchant_uid: 'order-2', captured_at: '2027-01-31T01:00:03.000Z' },
      { merchant_uid: 'order-1', captured_at: '2027-01-31T01:00:03.000Z' },
    ],
  });
});

test('the directory is refused to a second sandbox while the first one runs', async () => {
  const directory = await newDirectory();
  const first = await openBench({ directory });
  await expect(openBench({ directory })).rejects.toThrow(`is in use by process ${process.pid}`);
  expect((await first.again()).code).toBe(0);
  await first.sandbox.close();
  await openBench({ directory });
});

test('a lock that a killed process left behind is taken over', async () => {
  const directory = await newDirectory();
  await writeFile(join(directory, 'sandbox.7.lock'), '999999999 1\n');
  await openBench({ directory });
});

test('a lock whose process number went to another process is taken over where starts can be told apart', async () => {
  const directory = await newDirectory();
  await writeFile(join(directory, 'sandbox.7.lock'), `${process.pid} 1\n`);
  const opened = openBench({ directory });
  if (existsSync('/proc/self/stat')) await opened;
  else await expect(opened).rejects.toThrow('is in use');
});

test('of many that start at once over a stale lock, one gets the directory', async () => {
  const directory = await newDirectory();
  await writeFile(join(directory, 'sandbox.7.lock'), '999999999 1\n');
  const starts = await Promise.allSettled(Array.from({ length: 20 }, () => openBench({ directory })));
  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a taken port is told by its code, and the directory is free again', async () => {
  const directory = await newDirectory();
  const { url } = await openBench();
  const port = Number(new URL(url).port);
  const options = { host: '127.0.0.1', directory, clock: new HandClock() };
  await expect(startSandbox({ ...options, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await openBench({ directory });
});

test('closing twice is fine', async () => {
  const { sandbox } = await openBench({ directory: await newDirectory() });
  await Promise.all([sandbox.close(), sandbox.close()]);
  await sandbox.close();
});
