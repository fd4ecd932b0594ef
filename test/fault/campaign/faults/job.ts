import { randomUUID } from 'node:crypto';
import { withQueue } from '../queue.ts';
import type { FaultClass } from '../world.ts';

/** Jobs that nobody of ours put into the queue: doubled, of long ago, of other installations, not jobs at all. */
export const job: FaultClass = {
  name: 'job',
  strike: async (world) => {
    const { postgres, chance, tally } = world;
    const attempts = await postgres.query<{ id: string; generation: number }>(
      'SELECT id, generation FROM attempt ORDER BY random() LIMIT 20',
    );
    const jobs = attempts.flatMap(({ id, generation }): [string, unknown][] => [
      ['doubled', { attemptId: id, generation }],
      ['stale', { attemptId: id, generation: Math.max(0, generation - chance.between(1, 3)) }],
    ]);
    jobs.push(['ahead', { attemptId: attempts[0]?.id, generation: 1_000_000 }]);
    jobs.push(['foreign', { attemptId: randomUUID(), generation: 1 }]);
    for (const data of MALFORMED) jobs.push(['malformed', data]);
    const added = jobs.map(([name, data]) => ({ name, data, opts: { removeOnComplete: true, removeOnFail: true } }));
    await withQueue(world, (queue) => queue.addBulk(added)).catch(() => undefined);
    for (const [name] of jobs) tally.add('jobs', name);
  },
};

const MALFORMED: readonly unknown[] = [
  {},
  null,
  'charge everything',
  { attemptId: '1; DROP TABLE attempt', generation: 1 },
  { attemptId: {}, generation: '1' },
  { attemptId: 'x'.repeat(100_000), generation: -1 },
  { __proto__: { attemptId: 1 }, generation: Number.MAX_SAFE_INTEGER },
];
