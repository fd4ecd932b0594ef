import type { Job, JobsOptions, Queue } from 'bullmq';
import { InputError } from '../billing/errors.ts';
import { type AttemptId, parseAttemptId } from '../billing/ids.ts';

/** A ring of the doorbell: ids only, never a fact. */
export type ChargeJob = { readonly attemptId: AttemptId; readonly generation: number };

/**
 * The doorbell between scheduler and workers. It may lose, repeat or reorder jobs: the database decides what a job is
 * worth. One conformance suite holds for both backends.
 */
export interface ChargeQueue {
  /** Adds one job for each ring. Rejects when the queue cannot be reached; then some may have been added or none. */
  ring(jobs: readonly ChargeJob[]): Promise<void>;
  /**
   * Calls `handle` for each job, `concurrency` at a time, until the consumer is closed; a backend that goes away is
   * waited for. Rejects when the backend cannot be reached to begin with: then nothing is consumed.
   */
  consume(handle: (job: ChargeJob) => Promise<void>, concurrency: number): Promise<Consumer>;
  /** Jobs that no worker has taken yet. Rejects when the queue cannot be reached. */
  waiting(): Promise<number>;
  /** Removes every job, those in hand too: these go on, and what they did is in the database. */
  empty(): Promise<void>;
  /** BullMQ's own queue, for Bull Board. */
  readonly board: Queue;
  close(): Promise<void>;
}

/** A running consumer. `close` takes no new job and waits for those in hand. */
export type Consumer = { close(): Promise<void> };

/** What a backend brings: a queue, and a way to make workers on it. */
export type Backend = {
  readonly board: Queue;
  readonly addBulk: (jobs: { name: string; data: ChargeJob; opts: JobsOptions }[]) => Promise<unknown>;
  readonly work: (process: (job: Job) => Promise<void>, concurrency: number) => Promise<Consumer>;
  readonly close: () => Promise<void>;
};

/** The queue's name in Redis keys, in Postgres and in Bull Board. */
export const QUEUE_NAME = 'charge';

/** One try, and nothing kept: what repeats lives in the database, where an old job id can block nothing. */
export const JOB_OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/**
 * BullMQ's locks are no safety device here, so they are long: a worker that misses a renewal keeps its job, and the
 * database's leases say who may charge.
 */
export const WORKER_OPTIONS = { lockDuration: 60_000, maxStalledCount: 5 } as const;

/** The queue over either backend. */
export function chargeQueue(backend: Backend): ChargeQueue {
  return {
    board: backend.board,
    ring: async (jobs) => {
      if (jobs.length === 0) return;
      await backend.addBulk(
        jobs.map(({ attemptId, generation }) => {
          const id = `charge-${attemptId}-${generation}`; // BullMQ ignores an id it still has, and refuses `:`
          return { name: id, data: { attemptId, generation }, opts: { ...JOB_OPTIONS, jobId: id } };
        }),
      );
    },
    consume: (handle, concurrency) => backend.work((job) => handle(parseJob(job.data)), concurrency),
    waiting: () => backend.board.getWaitingCount(),
    empty: async () => {
      try {
        await backend.board.obliterate({ force: true });
      } finally {
        await backend.board.resume(); // BullMQ pauses a queue before it empties it, and may have died there the last time
      }
    },
    close: () => backend.close(),
  };
}

/** Throws InputError on a job that is not ours: it then fails and is removed, and nothing else happens. */
function parseJob(data: unknown): ChargeJob {
  const fields: Partial<Record<string, unknown>> = typeof data === 'object' && data !== null ? { ...data } : {};
  const { attemptId, generation } = fields;
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation)) {
    throw new InputError(
      `'${generation}' is not the number of a ring`,
      `keep other jobs out of the '${QUEUE_NAME}' queue`,
    );
  }
  return { attemptId: parseAttemptId(String(attemptId)), generation };
}
