import { Agent, request } from 'node:http';
import { systemClock } from '../../src/clock.ts';

/** How a burst was taken: how long it lasted, and how often each status was answered. */
export type Burst = { readonly seconds: number; readonly answers: ReadonlyMap<number, number> };

/** POSTs so many webhooks as fast as a hundred connections take them; every second one names one of `merchantUids`. */
export async function forge(url: string, count: number, merchantUids: readonly string[]): Promise<Burst> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers = new Map<number, number>();
  const startedMs = systemClock.monotonicMs();
  let next = 0;
  const send = async () => {
    for (let index = next++; index < count; index = next++) {
      const named = index % 2 === 0 ? merchantUids[(index / 2) % merchantUids.length] : `forged${index}`;
      const body = JSON.stringify({ imp_uid: `imp_${index}`, merchant_uid: named, status: 'cancelled' });
      const status = await post(agent, url, body);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  agent.destroy();
  return { seconds: (systemClock.monotonicMs() - startedMs) / 1_000, answers };
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const CONNECTIONS = 100;
