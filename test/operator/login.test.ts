import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { buildConsole } from '../../src/operator/server.ts';
import { cookieOf, loginRequest, newWorld, PASSWORD, type World } from './fixture.ts';

const T0 = DateTime.fromISO('2027-01-31T01:00:00Z');

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
beforeEach(async () => {
  await world.database.db.$executeRaw`TRUNCATE audit, operator_session`;
  await world.database.setNow(T0);
});
afterAll(() => world.close());

const statusWith = async (cookie: string) => (await world.app.inject({ url: '/', headers: { cookie } })).statusCode;
const tryPassword = async (password: string, address?: string) =>
  (await world.app.inject(loginRequest(password, address))).statusCode;
const audited = () =>
  world.database.db.audit.findMany({ orderBy: { id: 'asc' }, select: { action: true, origin: true } });

describe('a session', () => {
  test('opens with the password and leads to the overview', async () => {
    const response = await world.app.inject(loginRequest(PASSWORD));
    expect(response.statusCode).toBe(303);
    expect(response.headers.location).toBe('/');
    expect(await statusWith(cookieOf(response))).toBe(200);
    expect(await audited()).toEqual([{ action: 'login.succeeded', origin: '127.0.0.1' }]);
  });

  test('its cookie is kept from scripts, other sites and, over HTTPS, from everything but this host', async () => {
    const plain = await world.app.inject(loginRequest(PASSWORD));
    expect(plain.headers['set-cookie']).toMatch(/^maedal=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const request = loginRequest(PASSWORD);
    const headers = { ...request.headers, origin: 'https://localhost:80' };
    const response = await world.app.inject({ ...request, headers });
    expect(response.headers['set-cookie']).toMatch(
      /^__Host-maedal=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(await statusWith(cookieOf(response))).toBe(200);
  });

  test('is stored as a hash: what the database holds opens nothing', async () => {
    const cookie = await world.logIn();
    const [row] = await world.database.db.operator_session.findMany();
    expect(row?.id_hash).toBe(createHash('sha256').update(cookie.replace('maedal=', '')).digest('hex'));
    expect(await statusWith(`maedal=${row?.id_hash}`)).toBe(401);
  });

  test('gets a new id at every login, and the id before is worth nothing', async () => {
    const first = await world.logIn();
    const request = loginRequest(PASSWORD);
    const second = cookieOf(await world.app.inject({ ...request, headers: { ...request.headers, cookie: first } }));
    expect(second).not.toBe(first);
    expect(await statusWith(first)).toBe(401);
    expect(await statusWith(second)).toBe(200);
  });

  test('is not fixed by a cookie that was sent along', async () => {
    const planted = `maedal=${'A'.repeat(43)}`;
    const request = loginRequest(PASSWORD);
    await world.app.inject({ ...request, headers: { ...request.headers, cookie: planted } });
    expect(await statusWith(planted)).toBe(401);
  });

  test('ends after 15 minutes without a request', async () => {
    const cookie = await world.logIn();
    await world.database.setNow(T0.plus({ minutes: 14, seconds: 59 }));
    expect(await statusWith(cookie)).toBe(200);
    await world.database.setNow(T0.plus({ minutes: 29, seconds: 58 }));
    expect(await statusWith(cookie)).toBe(200);
    await world.database.setNow(T0.plus({ minutes: 44, seconds: 59 }));
    expect(await statusWith(cookie)).toBe(401);
  });

  test('ends after 12 hours however busy it is', async () => {
    const cookie = await world.logIn();
    for (let minutes = 10; minutes < 12 * 60; minutes += 10) {
      await world.database.setNow(T0.plus({ minutes }));
      expect(await statusWith(cookie)).toBe(200);
    }
    await world.database.setNow(T0.plus({ hours: 12 }));
    expect(await statusWith(cookie)).toBe(401);
  });

  test('ends at the server when the operator logs out', async () => {
    const cookie = await world.logIn();
    const headers = { cookie, origin: 'http://localhost:80' };
    const response = await world.app.inject({ method: 'POST', url: '/logout', headers });
    expect(response.statusCode).toBe(303);
    expect(response.headers.location).toBe('/login');
    expect(await statusWith(cookie)).toBe(401);
    expect(await world.database.db.operator_session.count()).toBe(0);
  });

  test('holds over processes', async () => {
    const cookie = await world.logIn();
    const other = await buildConsole(world.deps, '127.0.0.1');
    expect((await other.inject({ url: '/', headers: { cookie } })).statusCode).toBe(200);
    await other.close();
  });

  test('one that ended is swept out at the next login', async () => {
    await world.logIn();
    await world.database.setNow(T0.plus({ hours: 13 }));
    await world.logIn();
    expect(await world.database.db.operator_session.count()).toBe(1);
  });
});

describe('a wrong password', () => {
  test.each([
    ['nothing', ''],
    ['one letter', 'x'],
    ['all but its end', PASSWORD.slice(0, -1)],
    ['more than itself', `${PASSWORD}x`],
    ['itself in capitals', PASSWORD.toUpperCase()],
    ['10,000 characters', 'x'.repeat(10_000)],
    ['NUL', '\0'],
    ['Korean', '비밀번호'],
  ])('is refused: %s', async (_what, password) => {
    expect(await tryPassword(password)).toBe(401);
    expect(await world.database.db.operator_session.count()).toBe(0);
  });

  test.each([
    ['none', ''],
    ['two', `password=${PASSWORD}&password=x`],
    ['another field', `password=${PASSWORD}&admin=1`],
    ['an object', `password[not]=x`],
    ['a prototype', `__proto__[password]=${PASSWORD}`],
  ])('a form with %s is refused and not counted', async (_what, payload) => {
    expect((await world.app.inject({ ...loginRequest(''), payload })).statusCode).toBe(400);
    expect(await audited()).toEqual([]);
  });

  test('is written down with its address and without itself', async () => {
    await tryPassword('hunter2', '192.0.2.7');
    const rows = await world.database.db.audit.findMany();
    expect(rows).toMatchObject([{ actor: 'operator', action: 'login.failed', origin: '192.0.2.7' }]);
    expect(JSON.stringify(rows, (_key, value) => (typeof value === 'bigint' ? Number(value) : value))).not.toContain(
      'hunter2',
    );
  });
});

describe('guessing', () => {
  test('the eleventh wrong password within 30 minutes is not looked at, nor is a right one', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect(await tryPassword('wrong')).toBe(401);
    expect(await tryPassword('wrong')).toBe(429);
    const response = await world.app.inject(loginRequest(PASSWORD));
    expect(response.statusCode).toBe(429);
    expect(response.headers['retry-after']).toBe('1800');
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  test('stays blocked over a restart and in other processes, until the first failure is 30 minutes old', async () => {
    for (let tries = 0; tries < 10; tries += 1) await tryPassword('wrong');
    const other = await buildConsole(world.deps, '127.0.0.1');
    await world.database.setNow(T0.plus({ minutes: 29 }));
    const response = await other.inject(loginRequest(PASSWORD));
    expect(response.statusCode).toBe(429);
    expect(response.headers['retry-after']).toBe('60');
    await world.database.setNow(T0.plus({ minutes: 30 }));
    expect((await other.inject(loginRequest(PASSWORD))).statusCode).toBe(303);
    await other.close();
  });

  test('guesses made side by side in two processes get no more answers than the limit', async () => {
    const other = await buildConsole(world.deps, '127.0.0.1');
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? world.app : other).inject(loginRequest('wrong'))),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(10);
    expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(30);
    await other.close();
  });

  test('is counted by the connection, whatever a header says of it', async () => {
    for (let tries = 0; tries < 12; tries += 1) {
      const request = loginRequest('wrong');
      const forged = {
        'x-forwarded-for': `203.0.113.${tries}`,
        forwarded: `for=203.0.113.${tries}`,
        'x-real-ip': `203.0.113.${tries}`,
      };
      const { statusCode } = await world.app.inject({ ...request, headers: { ...request.headers, ...forged } });
      expect(statusCode).toBe(tries < 10 ? 401 : 429);
    }
  });

  test('an address written as IPv6 is the same address', async () => {
    for (let tries = 0; tries < 10; tries += 1) await tryPassword('wrong', '::ffff:192.0.2.1');
    expect(await tryPassword('wrong', '192.0.2.1')).toBe(429);
  });

  test('another address may still log in, until a hundred have failed altogether', async () => {
    for (let tries = 0; tries < 100; tries += 1) {
      expect(await tryPassword('wrong', `192.0.2.${Math.floor(tries / 10)}`)).toBe(401);
      if (tries === 50) expect(await tryPassword(PASSWORD, '198.51.100.1')).toBe(303);
    }
    expect(await tryPassword(PASSWORD, '198.51.100.1')).toBe(429);
    await world.database.setNow(T0.plus({ minutes: 30 }));
    expect(await tryPassword(PASSWORD, '198.51.100.1')).toBe(303);
  });
});

test('the form has a label, needs no script and carries no word of what was typed', async () => {
  const page = await world.app.inject('/login');
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(page.body).toContain('<label for="password">');
  expect(page.body).not.toMatch(/<script|style=|<style|\son\w+=/i);
  const wrong = await world.app.inject(loginRequest('<b>hunter2</b>'));
  expect(wrong.body).toContain('role="alert"');
  expect(wrong.body).not.toContain('hunter2');
  const style = await world.app.inject('/login.css');
  expect(style.headers['content-type']).toBe('text/css; charset=utf-8');
});
