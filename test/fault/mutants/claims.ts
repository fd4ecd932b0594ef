import type { Mutant } from './mutant.ts';

/** Who has an attempt in hand, who is rung for, and when. */
export const CLAIMS: readonly Mutant[] = [
  {
    name: 'a job keeps one id for ever, and the queue keeps it',
    catcher: 'test/queue/redis.test.ts',
    edits: [
      {
        file: 'src/queue/charge-queue.ts',
        find: 'jobs.map(({ attemptId, generation }) => {',
        replace: 'jobs.map(({ attemptId }) => {\n          const generation = 1;',
      },
      { file: 'src/queue/charge-queue.ts', find: 'removeOnComplete: true', replace: 'removeOnComplete: false' },
    ],
  },
  {
    name: 'the index that allows one living attempt is gone',
    catcher: 'test/flow/intent.test.ts',
    edits: [
      {
        file: 'prisma/migrations/20261124000000_tables/migration.sql',
        find: 'CREATE UNIQUE INDEX attempt_one_alive ON attempt (invoice_id)',
        replace: 'CREATE INDEX attempt_one_alive ON attempt (invoice_id)',
      },
    ],
  },
  {
    name: 'a lease is given to whoever asks',
    catcher: 'test/store/fences.test.ts',
    edits: [
      {
        file: 'src/store/lease.ts',
        find: 'AND (attempt.lease_until <= maedal_now() OR attempt.lease_until IS NULL)',
        replace: '',
      },
    ],
  },
];
