import { buildMaedal } from './built.ts';
import { startPostgres } from './postgres-server.ts';
import { startRedis } from './redis-server.ts';

/** What was started for this run of the tests; the last first, when it is stopped. */
export const started: { stop(): Promise<void> }[] = [];

/**
 * One PostgreSQL and one Redis for all tests, at `TEST_DATABASE_URL` and `TEST_REDIS_URL`; whichever is set already is
 * used as it is. `REDIS_URL` serves too. `DATABASE_URL` never does: tests create and drop databases. And the program,
 * built once, at `TEST_MAEDAL_MAIN`.
 */
// biome-ignore lint/style/noDefaultExport: jest calls the default export.
export default async function setUp(): Promise<void> {
  process.env.TEST_DATABASE_URL ??= await urlOf(startPostgres);
  process.env.TEST_REDIS_URL ??= process.env.REDIS_URL ?? (await urlOf(startRedis));
  const built = await buildMaedal();
  started.push(built);
  process.env.TEST_MAEDAL_MAIN = built.main;
}

async function urlOf(start: () => Promise<{ url: string; stop(): Promise<void> }>): Promise<string> {
  const server = await start();
  started.push(server);
  return server.url;
}
