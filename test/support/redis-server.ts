import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause, systemClock } from '../../src/clock.ts';
import { findRedis } from './redis-program.ts';
import { standBy } from './undertaker.ts';

/** A Redis of a test's own. */
export type RedisServer = { readonly url: string; readonly pid: number; stop(): Promise<void> };

/** Starts an empty Redis that keeps nothing, on `port` of 127.0.0.1 or any free one, and waits until it answers. */
export async function startRedis(port?: number): Promise<RedisServer> {
  const program = await findRedis();
  const chosen = port ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'maedal-test-redis-'));
  const log = join(dir, 'redis.log');
  const child = spawn(
    program.path,
    ['--port', `${chosen}`, '--bind', '127.0.0.1', '--dir', dir, '--logfile', log, ...SETTINGS],
    { env: { ...process.env, LD_LIBRARY_PATH: program.libraryPath }, stdio: 'ignore' },
  );
  const ended = new AbortController();
  const exit = once(child, 'exit').finally(() => ended.abort());
  if (child.pid === undefined) await exit; // rejects with why it could not be started
  const pid = child.pid ?? 0;
  const undertaker = standBy(`kill ${pid}; rm -rf '${dir}'`);
  for (let tries = 0; !(await answersPing(chosen)); tries++) {
    if (ended.signal.aborted || tries > 1_000) throw new Error(`Redis did not start: ${await readFile(log, 'utf8')}`);
    await pause(systemClock, 10, ended.signal);
  }
  child.unref();
  const stop = async () => {
    child.ref();
    child.kill();
    await exit;
    undertaker.dismiss();
    await rm(dir, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${chosen}`, pid, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString() === '+PONG\r\n');
    });
    socket.once('error', () => resolve(false));
  });
}

const SETTINGS = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
