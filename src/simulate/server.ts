import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../embedded/postgres.ts';
import type { Report } from '../events.ts';

/** Hands over the URL of a PostgreSQL that is there for this work alone, and removes every trace of it afterwards. */
export async function withOwnServer<Result>(report: Report, work: (url: string) => Promise<Result>): Promise<Result> {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'maedal-simulate-')));
  await chmod(dataDir, 0o755); // as root another user runs it
  const alarm = (text: string) => report({ kind: 'embedded.failed', text });
  try {
    const server = await startEmbeddedPostgres({
      dataDir,
      clock: systemClock,
      durable: false,
      report: () => undefined,
      alarm,
    });
    try {
      return await work(server.url);
    } finally {
      await server.stop();
    }
  } finally {
    await removeEmbeddedPostgres(dataDir);
  }
}
