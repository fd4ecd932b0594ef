import { chmod, mkdtemp, realpath, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { notedHome } from '../../src/embedded/place.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { standBy } from './undertaker.ts';

/** A PostgreSQL for tests, in a directory of its own outside the repository. `stop()` removes every trace of it. */
export async function startPostgres(): Promise<EmbeddedPostgres> {
  const dataDir = await realpath(await mkdtemp(join(await quickDirectory(), 'maedal-test-postgres-')));
  await chmod(dataDir, 0o755); // as root another user runs it
  const server = await startEmbeddedPostgres({ dataDir, clock: systemClock, durable: false });
  const home = (await notedHome(dataDir)) ?? dataDir;
  const undertaker = standBy(
    `pid=$(head -n 1 '${home}/cluster/postmaster.pid') && kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.1; done;` +
      `rm -rf '${home}' '${dataDir}'`,
  );
  const stop = async () => {
    await server.stop();
    await removeEmbeddedPostgres(dataDir);
    undertaker.dismiss();
  };
  return { ...server, stop };
}

/** Memory where there is plenty: a database is a thousand files, and every test has one of its own. */
async function quickDirectory(): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize >= ENOUGH_BYTES ? MEMORY : tmpdir();
}

const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 4 * 2 ** 30;
