import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { expect, test } from '@jest/globals';

import { ConfigError } from '../../src/config/config-error.ts';
import { type Credentials, keepCredentials } from '../../src/config/credentials.ts';
import { newDir } from './temporary.ts';

function newPath(): string {
  return join(newDir(), 'data', 'credentials');
}

function reveal({ secret, apiToken, operatorPassword }: Credentials): string[] {
  return [secret.reveal(), apiToken.reveal(), operatorPassword.reveal()];
}

test('secrets are made once and read back', async () => {
  const path = newPath();
  const made = reveal(await keepCredentials(path));
  expect(reveal(await keepCredentials(path))).toEqual(made);
  expect(new Set(made).size).toBe(3);
  expect(made[0]?.length).toBeGreaterThanOrEqual(32);
  expect(reveal(await keepCredentials(newPath()))).not.toEqual(made);
});

test('the file is a person’s to read and nobody else’s', async () => {
  const path = newPath();
  const [secret] = reveal(await keepCredentials(path));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const text = await readFile(path, 'utf8');
  expect(text).toMatch(/^# Made by maedal/);
  expect(text).toContain(`\nMAEDAL_SECRET=${secret}\n`);
  expect(await readdir(join(path, '..'))).toEqual(['credentials']); // no draft is left behind
});

test('of many that start at once, all agree', async () => {
  const path = newPath();
  const all = await Promise.all(Array.from({ length: 20 }, () => keepCredentials(path)));
  expect(new Set(all.map((each) => reveal(each).join())).size).toBe(1);
  expect(await readdir(join(path, '..'))).toEqual(['credentials']);
});

test('a file that is there is never overwritten', async () => {
  const path = newPath();
  await keepCredentials(path);
  const edited = '# mine\r\nMAEDAL_OPERATOR_PASSWORD=p\r\nMAEDAL_SECRET=s\r\nMAEDAL_API_TOKEN=t\r\n';
  await writeFile(path, edited);
  expect(reveal(await keepCredentials(path))).toEqual(['s', 't', 'p']);
  expect(await readFile(path, 'utf8')).toBe(edited);
});

test('a file that lacks a secret is named, not completed', async () => {
  const path = newPath();
  await keepCredentials(path);
  await writeFile(path, 'MAEDAL_SECRET=only\nMAEDAL_API_TOKEN=\n');
  await expect(keepCredentials(path)).rejects.toMatchObject({
    problems: [
      expect.stringContaining(`${path} has no line MAEDAL_API_TOKEN=`),
      expect.stringContaining('MAEDAL_OPERATOR_PASSWORD='),
    ],
  });
});

test('a place that cannot be written is named', async () => {
  const path = join(newPath(), 'below-a-file', 'credentials');
  await keepCredentials(join(path, '..', '..'));
  await expect(keepCredentials(path)).rejects.toThrow(ConfigError);
  await expect(keepCredentials(path)).rejects.toThrow(`${path} cannot be used`);
});

test('secrets do not print', async () => {
  const credentials = await keepCredentials(newPath());
  for (const value of reveal(credentials)) expect(inspect(credentials)).not.toContain(value);
});
