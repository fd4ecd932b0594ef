import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { InputError } from '../../../src/billing/errors.ts';
import { storeTestCards } from '../../../src/gateway/portone/test-cards.ts';
import { answer, type FakePortOne, refuse, startFakePortOne } from '../fake-portone.ts';

let server: FakePortOne;
beforeEach(async () => {
  server = await startFakePortOne();
});
afterEach(() => server.close());

const entries = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ customerUid: `card-${index}`, card: 'approve' }));

test('cards go out a thousand at a time, in order', async () => {
  server.on('/_sandbox/cards', answer({ data: [], next_cursor: null }));
  await storeTestCards(server.url, entries(2_001));
  const batches = server.to('/_sandbox/cards').map(({ body }) => JSON.parse(body).cards);
  expect(batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 1]);
  expect(batches[2]).toEqual([{ customer_uid: 'card-2000', card: 'approve' }]);
});

test('no cards, no call', async () => {
  await storeTestCards(server.url, []);
  expect(server.seen).toHaveLength(0);
});

test('the entry that the sandbox refuses is named, in whichever batch it is', async () => {
  server.on('/_sandbox/cards', (seen, response, socket) => {
    const last = JSON.parse(seen.body).cards.length === 1;
    const behaviour = last ? refuse(400, "cards[0] (card-1000): 'aprove' is not a test card") : answer({ data: [] });
    behaviour(seen, response, socket);
  });
  const wrong = [...entries(1_000), { customerUid: 'card-1000', card: 'aprove' }];
  await expect(storeTestCards(server.url, wrong)).rejects.toThrow(InputError);
  await expect(storeTestCards(server.url, wrong)).rejects.toThrow(/'card-1000'.*'aprove' is not a test card/);
});

test.each(['https://api.iamport.kr', 'http://10.0.0.1:4010', 'http://127.0.0.1.example.com', 'http://sandbox:4010'])(
  'a card never leaves this machine: %s',
  async (url) => {
    await expect(storeTestCards(url, entries(1))).rejects.toThrow(InputError);
  },
);

test('what is no sandbox is named', async () => {
  server.on('/', refuse(404, 'no'));
  await expect(storeTestCards(server.url, entries(1))).rejects.toThrow(/answered HTTP 404/);
  const { url } = server;
  await server.close();
  server = await startFakePortOne();
  await expect(storeTestCards(url, entries(1))).rejects.toThrow(/no sandbox answers/);
});
