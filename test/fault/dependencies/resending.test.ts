import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.ts';
import { type Http, openHttp } from '../../../src/gateway/portone/http.ts';
import { AGAIN, answer, type FakePortOne, startFakePortOne } from '../../gateway/fake-portone.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';

/** Exactly one POST per intent: undici, set up as ours is, never sends a request again behind our back. */
let server: FakePortOne;
let proxy: FaultProxy;
let http: Http;

beforeEach(async () => {
  server = await startFakePortOne();
  server.on('/', answer({}));
  proxy = await FaultProxy.start({ upstream: server.url, wire: 'http' });
  http = openHttp({ baseUrl: proxy.url, connections: 1, clock: systemClock });
});
afterEach(async () => {
  await http.close();
  await proxy.close();
  await server.close();
});

test.each(['swallow-reply', 'cut-after-request', 'cut-in-reply'] as const)(
  'a POST whose kept connection dies after the server acted (%s) arrives once, twenty times over',
  async (kind) => {
    for (let number = 1; number <= 20; number += 1) {
      expect(await post('/warm')).toMatchObject({ kind: 'answer' });
      proxy.arm({ kind, match: /\/again$/ });
      const arrived = server.next(AGAIN);
      expect(await post(AGAIN)).toMatchObject({ kind: 'lost', timedOut: false });
      expect((await arrived).connection).toBe(server.to('/warm').at(-1)?.connection); // it was the kept one
      expect(server.to(AGAIN)).toHaveLength(number);
    }
    expect(await post('/after')).toMatchObject({ kind: 'answer' }); // whatever waited behind it would be out by now
    expect(server.to(AGAIN)).toHaveLength(20);
  },
);

test('a POST that was cut before the server had it is told as lost, and not sent again either', async () => {
  for (const kind of ['cut-before-request', 'cut-in-request'] as const) {
    await post('/warm');
    proxy.arm({ kind, match: /\/again$/ });
    expect(await post(AGAIN)).toMatchObject({ kind: 'lost', timedOut: false });
  }
  expect(await post('/after')).toMatchObject({ kind: 'answer' });
  expect(server.to(AGAIN)).toHaveLength(0);
});

test('a POST on a kept connection that had died unnoticed arrives at most once', async () => {
  for (let number = 1; number <= 20; number += 1) {
    await post('/warm');
    const before = server.to(AGAIN).length;
    proxy.cutAll(); // and in the same breath
    const { kind } = await post(AGAIN);
    expect(server.to(AGAIN).length - before).toBe(kind === 'answer' ? 1 : 0);
  }
});

function post(path: string) {
  return http.exchange({ method: 'POST', path, headers: {}, body: '{}', timeoutMs: 30_000 });
}
