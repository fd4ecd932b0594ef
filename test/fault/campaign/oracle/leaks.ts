import { createReadStream } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Violation } from '../books.ts';
import type { World } from '../world.ts';

/** Searches logs, the queue and what is to be told for secrets and for marks of payers and cards (I12). */
export async function judgeLeaks(world: World, canaries: readonly string[]): Promise<Violation[]> {
  const { directory, postgres, redis } = world;
  const logs = join(directory, 'logs');
  const files = (await readdir(logs)).map((name) => join(logs, name));
  if (redis !== null) {
    await redis.keep();
    files.push(redis.oldDump);
  }
  const violations: Violation[] = [];
  const found = (canary: string, where: string) => {
    violations.push({ invariant: 'I12', key: null, what: `'${canary}' stands in ${where}` });
  };
  for (const file of files) for (const canary of await inFile(file, canaries)) found(canary, file);
  const tables = await postgres.query<{ name: string }>(TABLES);
  for (const { name } of tables) {
    for (const canary of canaries) {
      const rows = await postgres.query(`SELECT 1 FROM ${name} t WHERE position($1 in t::text) > 0 LIMIT 1`, [canary]);
      if (rows.length > 0) found(canary, name);
    }
  }
  return violations;
}

async function inFile(file: string, canaries: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const missing = await access(file).then(
    () => false,
    () => true,
  );
  if (missing) return found;
  let rest = '';
  for await (const chunk of createReadStream(file, 'latin1')) {
    const text = `${rest}${chunk}`;
    for (const canary of canaries) if (text.includes(canary)) found.add(canary);
    rest = text.slice(-OVERLAP);
  }
  return found;
}

/** What leaves the house, and what is shown beside it. */
const TABLES = `
  SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
   WHERE table_type = 'BASE TABLE' AND (table_schema = 'bullmq' OR (table_schema = 'public' AND table_name IN ('outbox', 'delivery', 'history', 'audit')))`;
/** A mark may stand across two chunks. */
const OVERLAP = 200;
