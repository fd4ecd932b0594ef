import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import type { Burst, Flood } from './forged-webhooks.ts';

/**
 * A process that sends one flood and ends: a hundred connections, each of which sends its next webhook once the last one was
 * answered. It speaks as little HTTP as that takes, for it runs on the processors of what it floods.
 */
process.once('message', (flood: Flood) => {
  void send(flood).then((burst) => process.send?.(burst, () => process.disconnect()));
});

async function send({ url, count, merchantUids }: Flood): Promise<Burst> {
  const { host, hostname, port, pathname } = new URL(url);
  const answers = new Map<number, number>();
  const startedMs = systemClock.monotonicMs();
  let next = 0;
  const request = () => {
    const index = next++;
    if (index >= count) return null;
    const named = index % 2 === 0 ? merchantUids[(index / 2) % merchantUids.length] : `forged${index}`;
    const body = JSON.stringify({ imp_uid: `imp_${index}`, merchant_uid: named, status: 'cancelled' });
    const headers = `host: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    return `POST ${pathname} HTTP/1.1\r\n${headers}\r\n\r\n${body}`;
  };
  const answered = (status: number) => void answers.set(status, (answers.get(status) ?? 0) + 1);
  const one = () => converse(connect({ host: hostname, port: Number(port), noDelay: true }), request, answered);
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  const { user, system } = process.cpuUsage();
  const seconds = (systemClock.monotonicMs() - startedMs) / 1_000;
  return { seconds, cpuSeconds: (user + system) / 1e6, answers: [...answers] };
}

/** Sends what `request` says, one after the other, until it says null. */
function converse(socket: Socket, request: () => string | null, answered: (status: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const say = () => {
      const text = request();
      if (text === null) socket.end(resolve);
      else socket.write(text);
    };
    let heard = '';
    socket.setEncoding('latin1').once('connect', say).once('error', reject);
    socket.once('close', () => reject(new Error('the console closed a connection in the middle of the flood')));
    socket.on('data', (text) => {
      heard += text;
      const [whole, status, length] = ANSWER.exec(heard) ?? [];
      if (whole === undefined || heard.length < whole.length + Number(length)) return;
      heard = '';
      answered(Number(status));
      say();
    });
  });
}

const CONNECTIONS = 100;
const ANSWER = /^HTTP\/1\.1 (\d{3}) .*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n/is;
