import { withQueue } from '../queue.ts';
import type { FaultClass } from '../world.ts';

/** The doorbell vanishes, comes back old, or cuts everybody off. */
export const queue: FaultClass = {
  name: 'queue',
  strike: async (world) => {
    const { redis, chance, tally } = world;
    if (redis === null) {
      tally.add('process', 'queue obliterated');
      return withQueue(world, (board) => board.obliterate({ force: true })).catch(() => undefined);
    }
    const what = chance.pick(['flush', 'empty', 'old', 'keep', 'cut'] as const);
    if (what === 'keep') return redis.keep().catch(() => undefined);
    tally.add('process', `redis ${NAMES[what]}`);
    if (what === 'flush') await redis.flush();
    else if (what === 'cut') await redis.cutClients();
    else await redis.restart(what);
  },
};

const NAMES = {
  flush: 'flushed',
  empty: 'killed, back empty',
  old: 'killed, back with an old dump',
  cut: 'cuts its clients',
};
