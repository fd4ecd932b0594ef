import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import { HookThread } from './hook-thread.ts';
import { wordsOf } from './thrown.ts';

type ThreadsOptions = {
  /** Starts a thread that runs `serveHooks`. */
  readonly start: () => Worker;
  /** Threads that share calls; as many again may be under suspicion. */
  readonly threads: number;
  readonly clock: Clock;
  readonly report: Report;
};

type Said = Parameters<ConstructorParameters<typeof HookThread>[2]['say']>[0];
type Waiting = { readonly alone: boolean; readonly go: (thread: HookThread | Without) => void };
type Without = Extract<HookAnswer, { kind: 'failed' | 'undone' }>;

/**
 * A pool of threads that call the merchant's functions, many calls in each. What was in a thread that ended or stood still
 * comes back undone, and is called alone in a new thread when it comes again: so a hook that ends its thread costs its
 * neighbours one more call, and itself a failure. Relays and workers have one each: neither waits for the other.
 */
export class HookThreads {
  readonly #options: ThreadsOptions;
  #pool: HookThread[] = [];
  #waiting: Waiting[] = [];
  #isClosed = false;
  /** Calls that were in a thread that ended, by hook and key, and until when they are remembered. */
  readonly #suspects = new Map<string, number>();

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  /** Never rejects, and answers within the call's limit, the time until a thread is free, and a second. */
  async call(call: HookCall): Promise<HookAnswer> {
    if (this.#isClosed) return STOPPING;
    const suspect = `${call.name}\n${call.key}`;
    const nowMs = this.#options.clock.monotonicMs();
    const thread = await this.#threadFor((this.#suspects.get(suspect) ?? 0) > nowMs);
    if (!(thread instanceof HookThread)) return thread;
    const answer = await thread.run(call);
    this.#suspects.delete(suspect);
    if (answer.kind === 'undone' && !this.#isClosed) this.#suspect(suspect, nowMs);
    return this.#isClosed && answer.kind !== 'answered' ? STOPPING : answer; // it may have been ended by us
  }

  /** Ends all threads; what is in them comes back undone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { go } of this.#waiting) go(STOPPING);
    await Promise.all(this.#pool.map((thread) => thread.end()));
  }

  #threadFor(alone: boolean): Promise<HookThread | Without> {
    return new Promise((resolve) => {
      const one: Waiting = {
        alone,
        go: (thread) => {
          forget();
          resolve(thread);
        },
      };
      const forget = this.#options.clock.after(WAIT_MS, () => {
        this.#waiting = this.#waiting.filter((other) => other !== one);
        resolve({ kind: 'undone', reason: 'no thread was free for it' });
      });
      this.#waiting.push(one);
      this.#serve();
    });
  }

  /** Gives what waits a thread with room, the emptiest first; where none is left, more are begun. */
  #serve(): void {
    const broken = this.#pool.find(({ unusable }) => unusable !== null)?.unusable ?? null;
    this.#pool = this.#pool.filter(({ state, unusable }) => state !== 'ended' && unusable === null);
    const left: Waiting[] = [];
    for (const one of this.#waiting) {
      const free = this.#pool.filter((thread) => thread.alone === one.alone && thread.hasRoom);
      const thread = free.sort((a, b) => a.size - b.size)[0];
      if (thread !== undefined) one.go(thread.taken());
      else if (broken !== null) one.go({ kind: 'failed', reason: broken });
      else left.push(one);
    }
    this.#waiting = left;
    if (this.#isClosed) return;
    for (const alone of [false, true]) this.#grow(alone);
  }

  #grow(alone: boolean): void {
    const { start, threads, clock, report } = this.#options;
    const wanted = this.#waiting.filter((one) => one.alone === alone).length;
    const ours = this.#pool.filter((thread) => thread.alone === alone && thread.state !== 'leaving');
    const starting = ours.filter(({ state }) => state === 'starting').length;
    for (let more = Math.min(threads - ours.length, wanted - starting); more > 0; more -= 1) {
      const say = (line: Said) => report({ kind: 'hook.said', ...line });
      try {
        this.#pool.push(new HookThread(start(), alone, { clock, say, changed: () => this.#serve() }));
      } catch (error) {
        this.#withoutThread(alone, `no thread can be begun: ${wordsOf(error)}`.slice(0, 300));
        return;
      }
    }
  }

  /** What waits is left to the threads that there are; where there are none, it has failed. */
  #withoutThread(alone: boolean, reason: string): void {
    if (this.#pool.some((thread) => thread.alone === alone && thread.state !== 'leaving')) return;
    const failed = this.#waiting.filter((one) => one.alone === alone);
    this.#waiting = this.#waiting.filter((one) => one.alone !== alone);
    for (const { go } of failed) go({ kind: 'failed', reason });
  }

  #suspect(suspect: string, nowMs: number): void {
    const [oldest] = this.#suspects.keys();
    if (this.#suspects.size >= MOST_SUSPECTS && oldest !== undefined) this.#suspects.delete(oldest);
    this.#suspects.set(suspect, nowMs + SUSPECTED_MS);
  }
}

const STOPPING: Without = { kind: 'undone', reason: 'this process is stopping' };
/** How long a call waits for a thread, one that is started for it included. */
const WAIT_MS = 25_000;
const SUSPECTED_MS = 3_600_000;
const MOST_SUSPECTS = 10_000;
