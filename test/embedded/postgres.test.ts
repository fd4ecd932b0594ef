import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { InputError } from '../../src/billing/errors.ts';
import { systemClock } from '../../src/clock.ts';
import { notedHome } from '../../src/embedded/place.ts';
import {
  type EmbeddedPostgres,
  findEmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/embedded/postgres.ts';
import { hasExited, processMark } from '../../src/embedded/processes.ts';
import { runInChild, signalGroup } from './child.ts';

const dirs: string[] = [];
const servers: EmbeddedPostgres[] = [];
/** A data directory whose database has been made and stopped; for the tests that leave it so. */
let made: string;

beforeAll(async () => {
  made = await freshDir();
  await (await start(made)).stop();
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(async () => {
  for (const dir of dirs) await removeEmbeddedPostgres(dir);
});

/** A directory that everyone may enter, or only its owner. */
async function freshDir(mode = 0o755): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'maedal-test-embedded-')));
  await chmod(dir, mode);
  dirs.push(dir);
  return dir;
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, clock: systemClock, durable: false });
  servers.push(server);
  return server;
}

async function sql(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

async function postmasterPid(dataDir: string): Promise<number> {
  const home = (await notedHome(dataDir)) ?? dataDir;
  return Number((await readFile(join(home, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** A process that starts the server, telling what it reports, and then does nothing more. */
function childWithServer(dataDir: string) {
  return runInChild(`
    const { startEmbeddedPostgres } = await load('src/embedded/postgres.ts');
    const { systemClock } = await load('src/clock.ts');
    const options = { dataDir: ${JSON.stringify(dataDir)}, clock: systemClock, report: tell, durable: false };
    await startEmbeddedPostgres(options);
    tell('started');
    stay();
  `);
}

test('a first start makes the database, the next one finds its rows at the same address', async () => {
  const dir = await freshDir();
  const first = await start(dir);
  expect(first.adopted).toBe(false);
  expect(await sql(first.url, 'SHOW timezone')).toEqual(['UTC']);
  await sql(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await first.stop();
  const second = await start(dir);
  expect(second.adopted).toBe(false);
  expect(second.url).toBe(first.url);
  expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([7]);
});

test('a stopped server leaves no process, and may be stopped twice', async () => {
  const server = await start(made);
  const pid = await postmasterPid(made);
  expect(await findEmbeddedPostgres(made)).toBe(server.url);
  await server.stop();
  expect(await processMark(pid)).toBeNull();
  expect(await findEmbeddedPostgres(made)).toBeNull();
  await server.stop();
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'the server survives %s to the group of its maedal; the next adopts it',
  async (signal) => {
    const child = childWithServer(made);
    expect(await child.nextLine()).toBe('started');
    const pid = await postmasterPid(made);
    await signalGroup(child, signal);
    const next = await start(made);
    expect(next.adopted).toBe(true);
    expect(await postmasterPid(made)).toBe(pid);
    expect(await sql(next.url, 'SELECT 1')).toEqual([1]);
    await next.stop();
    expect(await processMark(pid)).toBeNull();
  },
);

test('a server that was killed is started anew and keeps what was committed', async () => {
  const first = await start(made);
  await sql(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  const pid = await postmasterPid(made);
  process.kill(pid, 'SIGKILL');
  const second = await start(made);
  expect(second.adopted).toBe(false);
  expect(await postmasterPid(made)).not.toBe(pid);
  expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([7]);
});

test('a pid file that names another living program stops nobody', async () => {
  const home = (await notedHome(made)) ?? made;
  await writeFile(join(home, 'cluster/postmaster.pid'), `${process.pid}\n${home}/cluster\n1\n1\n\n127.0.0.1\n`);
  expect((await start(made)).adopted).toBe(false);
});

test('a first start that is killed while it makes the database does not spoil the next', async () => {
  const dir = await freshDir();
  const child = childWithServer(dir);
  let line = '';
  while (!line.startsWith('making a database')) line = await child.nextLine();
  await signalGroup(child, 'SIGKILL');
  const home = (await notedHome(dir)) ?? dir;
  expect(await readdir(home)).toContainEqual(expect.stringMatching(/^staging-/));
  const server = await start(dir);
  expect(await sql(server.url, 'SELECT 1')).toEqual([1]);
  expect(await readdir(home)).not.toContainEqual(expect.stringMatching(/^staging-/));
});

test('a port that was taken meanwhile is replaced', async () => {
  const first = await start(made);
  await first.stop();
  const taker = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(taker, 'listening');
  const second = await start(made);
  expect(second.url).not.toBe(first.url);
  taker.close();
});

test('below a directory closed to others the database works and is found again', async () => {
  const dir = await freshDir(0o700);
  const first = await start(dir);
  await sql(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await first.stop();
  // Root's PostgreSQL runs as somebody else, who may not enter; an ordinary user's as that user.
  const elsewhere = await notedHome(dir);
  if (process.getuid?.() === 0) expect(elsewhere).toMatch(/^\/var\/lib\/maedal\/[0-9a-f]{16}/);
  else expect(elsewhere).toBeNull();
  expect(await readdir(elsewhere ?? dir)).toContain('cluster');
  expect(await sql((await start(dir)).url, 'SELECT n FROM kept')).toEqual([7]);
});

test('only the password opens the database, only its owner reads it, and rows do not reach the log', async () => {
  const { url } = await start(made);
  expect((await stat(join(made, 'password'))).mode & 0o777).toBe(0o600);
  await sql(url, 'CREATE TABLE secrets (secret text UNIQUE)');
  const twice = sql(url, "INSERT INTO secrets VALUES ('s3cret'), ('s3cret')");
  await expect(twice).rejects.toThrow('secrets_secret_key');
  const log = await readFile(join(made, 'postgres.log'), 'utf8');
  expect(log).toContain('secrets_secret_key');
  expect(log).not.toContain('s3cret');
  expect(log).not.toContain(new URL(url).password);
  const wrong = new URL(url);
  wrong.password = 'guess';
  await expect(sql(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test.each(['password', 'cluster'])('a data directory that lost its %s is not quietly begun anew', async (part) => {
  const place = part === 'cluster' ? ((await notedHome(made)) ?? made) : made;
  await rename(join(place, part), join(place, 'away'));
  const next = start(made);
  await expect(next).rejects.toThrow(InputError);
  await expect(next).rejects.toThrow('is gone; restore it from a backup, or remove');
  await rename(join(place, 'away'), join(place, part));
});

test('data of another version of PostgreSQL is left alone, with word of what to do', async () => {
  const version = join((await notedHome(made)) ?? made, 'cluster/PG_VERSION');
  const right = await readFile(version, 'utf8');
  await writeFile(version, '17\n');
  await expect(start(made)).rejects.toThrow(/is of PostgreSQL 17, these programs are 18; dump it/);
  await writeFile(version, right);
});

test('waiting for the end of a process that stays is bounded', async () => {
  const mark = (await processMark(process.pid)) ?? '';
  expect(await hasExited({ pid: process.pid, mark }, systemClock, 20)).toBe(false);
});

test('a server that ends by itself is started again at its port, with what it held, and with an alarm', async () => {
  const alarms: string[] = [];
  let cameBack = () => {};
  const back = new Promise<void>((resolve) => {
    cameBack = resolve;
  });
  const report = (line: string) => {
    if (/\d\) goes on$/.test(line)) cameBack();
  };
  const alarm = (line: string) => void alarms.push(line);
  const server = await startEmbeddedPostgres({ dataDir: made, clock: systemClock, durable: false, report, alarm });
  servers.push(server);
  await sql(server.url, 'CREATE TABLE held AS SELECT 7 AS number');
  const pid = await postmasterPid(made);
  process.kill(pid, 'SIGINT');
  await back;
  expect(await postmasterPid(made)).not.toBe(pid);
  expect(await sql(server.url, 'SELECT number FROM held')).toEqual([7]);
  expect(alarms).toEqual([expect.stringContaining(`(pid ${pid}) ended by itself`)]);
});
