import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { notedHome } from '../../src/embedded/place.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { standBy } from './undertaker.ts';

/** A PostgreSQL for tests, in a directory of its own outside the repository. `stop()` removes every trace of it. */
export async function startPostgres(): Promise<EmbeddedPostgres> {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'maedal-test-postgres-')));
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
