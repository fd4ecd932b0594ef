import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAttemptId } from '../../src/billing/ids.ts';
import { newWorldWithQueue } from './fixture.ts';

const ATTEMPT = '11111111-2222-4333-8444-555555555555';
const JOB = `charge-${ATTEMPT}-1`;

let world: Awaited<ReturnType<typeof newWorldWithQueue>>;
let cookie: string;
beforeAll(async () => {
  world = await newWorldWithQueue();
  await world.queue.ring([{ attemptId: parseAttemptId(ATTEMPT), generation: 1 }]);
  cookie = await world.logIn();
});
afterAll(() => world.close());

const get = (url: string) => world.app.inject({ url, headers: { cookie } });

test('shows the queue and its jobs to the operator', async () => {
  const page = await get('/queues');
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain('<base href="/queues/" />');
  const { queues } = (await get('/queues/api/queues?activeQueue=charge&status=waiting')).json();
  expect(queues).toHaveLength(1);
  expect(queues[0]).toMatchObject({ name: 'charge', readOnlyMode: true, allowRetries: false, counts: { waiting: 1 } });
  expect(queues[0].jobs[0]).toMatchObject({ id: JOB, data: { attemptId: ATTEMPT, generation: 1 } });
});

test('its own files are served, and no other', async () => {
  const page = await get('/queues');
  const files = [...page.body.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map((match) => match[1]);
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) expect((await get(`/queues/${file}`)).statusCode).toBe(200);
  for (const file of ['../index.ejs', '%2e%2e/index.ejs', '..%2f..%2fpackage.json', '.env', '']) {
    expect([403, 404]).toContain((await get(`/queues/static/${file}`)).statusCode);
  }
});

const CHANGES = [
  ['PUT', 'queues/pause'],
  ['PUT', 'queues/resume'],
  ['POST', 'queues/charge/add'],
  ['PUT', 'queues/charge/retry/failed'],
  ['PUT', 'queues/charge/promote'],
  ['PUT', 'queues/charge/clean/waiting'],
  ['PUT', 'queues/charge/pause'],
  ['PUT', 'queues/charge/concurrency'],
  ['PUT', 'queues/charge/rate-limit'],
  ['PUT', 'queues/charge/empty'],
  ['PUT', 'queues/charge/obliterate'],
  ['PUT', `queues/charge/${JOB}/retry`],
  ['PUT', `queues/charge/${JOB}/clean`],
  ['PUT', `queues/charge/${JOB}/promote`],
  ['PATCH', `queues/charge/${JOB}/update-data`],
  ['PATCH', `queues/charge/${JOB}/delay`],
] as const;

test.each(CHANGES)('%s %s changes nothing, even for the operator', async (method, path) => {
  const headers = { cookie, origin: 'http://localhost:80', 'content-type': 'application/json' };
  const payload = JSON.stringify({
    name: 'x',
    data: {},
    jobData: {},
    options: {},
    concurrency: 1,
    max: 1,
    duration: 1,
    delay: 1,
  });
  const response = await world.app.inject({ method, url: `/queues/api/${path}`, headers, payload });
  if (!['queues/pause', 'queues/resume'].includes(path)) expect([400, 405]).toContain(response.statusCode);
  expect(await world.queue.board.isPaused()).toBe(false);
  expect(await world.queue.board.getJobCounts('waiting', 'delayed')).toMatchObject({
    waiting: 1,
    delayed: 0,
  });
  expect((await world.queue.board.getJob(JOB))?.data).toEqual({ attemptId: ATTEMPT, generation: 1 });
});

test('may style itself inline and nothing more; every other page may not even that', async () => {
  const board = String((await get('/queues')).headers['content-security-policy']);
  const page = String((await get('/')).headers['content-security-policy']);
  for (const policy of [board, page]) {
    expect(policy).toContain("default-src 'self';script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  }
  expect(board).toContain("style-src 'self' 'unsafe-inline'");
  expect(page).toContain("style-src 'self';");
  expect((await get('/queues')).headers['x-content-type-options']).toBe('nosniff');
});

test('its page runs no inline script: the one that it has is a block of JSON', async () => {
  const scripts = [...(await get('/queues')).body.matchAll(/<script([^>]*)>([^<]*)<\/script>/g)];
  for (const [, attributes = '', text = ''] of scripts) {
    if (text !== '') expect(attributes).toContain('type="application/json"');
  }
  expect(scripts.length).toBeGreaterThan(1);
});

test('names nothing of another site, and a browser finds an answer where it asks for an icon', async () => {
  expect((await get('/queues')).body).not.toMatch(/https?:\/\//);
  expect((await world.app.inject('/favicon.ico')).statusCode).toBe(204);
});

test.each([
  'status=%00',
  'status=nonsense',
  'status=waiting&page=-1',
  'page=x',
  'jobsPerPage=1000000',
  'status=a&status=b',
])('a query that no page of its own makes is refused: %s', async (query) => {
  expect((await get(`/queues/api/queues?activeQueue=charge&${query}`)).statusCode).toBe(400);
  expect(world.errors).toEqual([]);
});

test('an id with a NUL is refused', async () => {
  expect((await get('/queues/api/queues/charge/x%00y')).statusCode).toBe(400);
  expect(world.errors).toEqual([]);
});

test('a page of its own is answered', async () => {
  const url = '/queues/api/queues?activeQueue=charge&status=latest&page=1&jobsPerPage=10';
  expect((await get(url)).json().queues[0].jobs).toHaveLength(1);
});

test('an error of the queue is reported and shows nothing', async () => {
  const other = await newWorldWithQueue();
  const session = await other.logIn();
  await other.database.db.$executeRaw`DROP SCHEMA bullmq CASCADE`;
  const response = await other.app.inject({ url: '/queues/api/queues', headers: { cookie: session } });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  expect(other.errors[0]?.where).toBe('GET /queues/api/queues');
  await other.close();
});
