import type { Mutant } from './mutant.ts';

/** Who has an attempt in hand, who is rung for, and when. */
export const CLAIMS: readonly Mutant[] = [
  {
    name: 'a job keeps one id for ever, and the queue keeps it',
    catcher: 'test/queue/redis.test.ts',
    also: ['campaign --classes gateway --charges 100 --backend redis'], // which flushes no queue: that would heal it
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
    also: ['model'], // which keeps its rows in memory
    edits: [
      {
        file: 'prisma/migrations/20261124000000_tables/migration.sql',
        find: 'CREATE UNIQUE INDEX attempt_one_alive ON attempt (invoice_id)',
        replace: 'CREATE INDEX attempt_one_alive ON attempt (invoice_id)',
      },
      {
        file: 'test/fault/model/store/protections.ts',
        find: "return ALIVE.has(one.state) && ALIVE.has(other.state) ? 'attempt_one_alive' : null;",
        replace: 'return null;',
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
  {
    name: 'a claim is read first and written then',
    catcher: 'test/store/fences.test.ts',
    also: ['model'],
    edits: [
      {
        file: 'src/store/lease.ts',
        find: '  const [row] = await db.$queryRaw<Row[]>`\n    WITH i AS MATERIALIZED (',
        replace:
          '  const [free] = await db.$queryRaw<{ fence: number }[]>`\n    SELECT fence FROM attempt WHERE id = ${ring.attemptId}::uuid AND rung_at IS NOT NULL\n       AND (lease_until <= maedal_now() OR lease_until IS NULL)`;\n  if (free === undefined) return null;\n  const [row] = await db.$queryRaw<Row[]>`\n    WITH i AS MATERIALIZED (',
      },
      { file: 'src/store/lease.ts', find: 'SET fence = fence + 1', replace: 'SET fence = ${free.fence} + 1' },
      { file: 'src/store/lease.ts', find: ' AND attempt.rung_at IS NOT NULL', replace: '' },
      {
        file: 'src/store/lease.ts',
        find: 'AND (attempt.lease_until <= maedal_now() OR attempt.lease_until IS NULL)',
        replace: '',
      },
      {
        file: 'test/fault/model/store/memory-store.ts',
        find: "    lease: bound('lease', lease),",
        replace:
          "    lease: async (ring, seconds) => {\n      const read = await carry('read', () => tables.attempts.get(ring.attemptId));\n      if (read === undefined || read.rung_at === null || (read.lease_until ?? 0) > tables.nowMs) return null;\n      return carry('lease', () => lease(tables, ring, seconds, read.fence));\n    },",
      },
      {
        file: 'test/fault/model/store/leasing.ts',
        find: '  leaseSeconds: number,\n',
        replace: '  leaseSeconds: number,\n  fence: number,\n',
      },
      { file: 'test/fault/model/store/leasing.ts', find: 'fence: was.fence + 1', replace: 'fence: fence + 1' },
      {
        file: 'test/fault/model/store/leasing.ts',
        find: 'was.rung_at === null || !LEASABLE.has(was.state) || !isFree',
        replace: '!LEASABLE.has(was.state)',
      },
    ],
  },
  {
    name: 'the clock of the host says what is due',
    catcher: 'test/flow/clock.test.ts',
    edits: [
      {
        file: 'src/scheduler/tick.ts',
        find: "import type { DateTime } from 'luxon';",
        replace: "import { DateTime } from 'luxon';",
      },
      {
        file: 'src/scheduler/tick.ts',
        find: '{ startedAt: due.now, until: until ?? due.now }',
        replace: "{ startedAt: due.now, until: until ?? DateTime.fromMillis(deps.clock.nowMs(), { zone: 'utc' }) }",
      },
      {
        file: 'src/scheduler/tick.ts',
        find: 'firstBatch({ store }: SchedulerDeps',
        replace: 'firstBatch({ store, clock }: SchedulerDeps',
      },
      {
        file: 'src/scheduler/tick.ts',
        find: 'until: until ?? null',
        replace: "until: until ?? DateTime.fromMillis(clock.nowMs(), { zone: 'utc' })",
      },
      {
        file: 'src/scheduler/tick.ts',
        find: 'sweep(deps, { until, settles',
        replace: 'sweep(deps, { until: pass.until, settles',
      },
      { file: 'src/store/draw-up.ts', find: 's.next_due_at <= maedal_now() AND s', replace: 's' },
      {
        file: 'src/store/due.ts',
        find: " IN ('open', 'retrying') AND i.next_at <= maedal_now()`;",
        replace: " IN ('open', 'retrying')`;",
      },
    ],
  },
];
