import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { ConfigError } from './config-error.ts';
import { codeOf, reasonOf } from './reason.ts';
import { Secret } from './secret.ts';

/** Secrets that a test installation made for itself. */
export type Credentials = {
  readonly secret: Secret;
  readonly apiToken: Secret;
  readonly operatorPassword: Secret;
};

/**
 * The secrets kept in `path`, made and written (0600) if there is no such file. The file appears whole or not at all
 * and is never overwritten: of several processes that start at once, all read what the first one wrote. Throws
 * ConfigError where the file or its directory cannot be used.
 */
export async function keepCredentials(path: string): Promise<Credentials> {
  try {
    const text = (await readIfThere(path)) ?? (await create(path));
    return parse(path, text);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const remedy = 'set MAEDAL_SECRET, MAEDAL_API_TOKEN and MAEDAL_OPERATOR_PASSWORD, or name another MAEDAL_DATA_DIR';
    throw new ConfigError([`${path} cannot be used: ${reasonOf(error)}; ${remedy}`]);
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function create(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(render());
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error; // another process was first: its secrets are ours
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

function render(): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64url');
  return [
    '# Made by maedal at its first start, because MAEDAL_ENV is test. A variable of the same name goes first.',
    '# MAEDAL_SECRET decides the ids that the gateway knows our charges by: keep it as long as the database.',
    `MAEDAL_SECRET=${random(32)}`,
    '# For the HTTP API: Authorization: Bearer …',
    `MAEDAL_API_TOKEN=${random(24)}`,
    "# For the console and the queue's pages",
    `MAEDAL_OPERATOR_PASSWORD=${random(12)}`,
    '',
  ].join('\n');
}

function parse(path: string, text: string): Credentials {
  const problems: string[] = [];
  const read = (name: string) => {
    const value = new RegExp(`^${name}=(\\S+)\\s*$`, 'm').exec(text)?.[1] ?? '';
    if (value === '') problems.push(`${path} has no line ${name}=…; add one, or move the file away to make another`);
    return new Secret(value);
  };
  const credentials = {
    secret: read('MAEDAL_SECRET'),
    apiToken: read('MAEDAL_API_TOKEN'),
    operatorPassword: read('MAEDAL_OPERATOR_PASSWORD'),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return credentials;
}
