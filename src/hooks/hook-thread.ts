import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { FromThread, HookAnswer, HookCall, LogLevel, ToThread } from './hook-call.ts';
import { wordsOf } from './thrown.ts';

type Task = {
  readonly call: HookCall;
  readonly end: (answer: HookAnswer) => void;
  readonly since: EventLoopUtilization;
  forget: () => void;
};

type ThreadDeps = {
  readonly clock: Clock;
  /** A line of the merchant's code; `hook` is null where nothing tells whose. */
  readonly say: (line: { hook: string | null; severity: LogLevel; text: string }) => void;
  /** Something about this thread changed: it is ready, has room, or has ended. */
  readonly changed: () => void;
};

/**
 * One thread with the calls in it. One that does not answer in time is told by its signal, and given up shortly after:
 * its thread takes no more calls and ends with the last of the others, or at once where its loop stands still. Whose
 * fault it is that a thread ended or stood still, only one that had a single call in all its life tells: `alone` ones are
 * kept so.
 */
export class HookThread {
  state: 'starting' | 'ready' | 'leaving' | 'ended' = 'starting';
  /** Why it never became ready. */
  unusable: string | null = null;
  readonly alone: boolean;
  readonly #worker: Worker;
  readonly #deps: ThreadDeps;
  readonly #tasks = new Map<number, Task>();
  /** Calls given to it so far, and those of them that are still to arrive. */
  #calls = 0;
  #taken = 0;
  #last = 'its thread ended';

  constructor(worker: Worker, alone: boolean, deps: ThreadDeps) {
    this.#worker = worker;
    this.alone = alone;
    this.#deps = deps;
    worker.on('error', (error: unknown) => {
      this.#last = `its thread ended: ${wordsOf(error)}`.slice(0, 300);
    });
    worker.on('exit', () => this.#ended());
    for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk: unknown) => this.#printed(chunk));
    const forget = deps.clock.after(STARTED_WITHIN_MS, () => {
      this.unusable = `a thread did not load the configuration file within ${STARTED_WITHIN_MS / 1_000} s`;
      void this.end();
    });
    worker.once('exit', forget);
    worker.on('message', (message: unknown) => {
      if (!isFromThread(message)) return; // the merchant's code can reach that port too
      forget();
      this.#heard(message);
    });
  }

  /** Calls in it, and on their way to it. */
  get size(): number {
    return this.#tasks.size + this.#taken;
  }

  get hasRoom(): boolean {
    if (this.alone) return this.state === 'ready' && this.#calls + this.#taken === 0;
    return this.state === 'ready' && this.size < MOST_CALLS;
  }

  /** Keeps a place for a call that is about to be run. */
  taken(): this {
    this.#taken += 1;
    return this;
  }

  run(call: HookCall): Promise<HookAnswer> {
    this.#taken -= 1;
    this.#calls += 1;
    const id = this.#calls;
    if (this.state === 'ended') return Promise.resolve({ kind: 'undone', reason: ENDED });
    this.#post({ kind: 'call', id, point: call.point, name: call.name, payload: call.payload });
    return new Promise((end) => {
      const since = this.#worker.performance.eventLoopUtilization();
      const task: Task = { call, end, since, forget: () => {} };
      task.forget = this.#deps.clock.after(call.timeoutMs, () => this.#late(id, task));
      this.#tasks.set(id, task);
    });
  }

  /** Ends it now; what is in it comes back as undone. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #heard(message: FromThread): void {
    if (message.kind === 'ready') {
      this.state = 'ready';
      this.#deps.changed();
    } else if (message.kind === 'unusable') {
      this.unusable = `the configuration file does not load in a thread: ${message.reason}`;
      void this.end();
    } else if (message.kind === 'line') {
      this.#deps.say({ hook: message.hook, severity: message.level, text: message.text });
    } else if (message.kind === 'failure') {
      this.#settle(message.id, { kind: 'failed', reason: message.reason });
    } else {
      this.#settle(message.id, { kind: 'answered', value: JSON.parse(message.json) });
    }
  }

  #late(id: number, task: Task): void {
    this.#post({ kind: 'abort', id });
    const then = this.#worker.performance.eventLoopUtilization();
    task.forget = this.#deps.clock.after(GRACE_MS, () => this.#overrun(id, task, then));
  }

  #overrun(id: number, { call, since }: Task, then: EventLoopUtilization): void {
    const stood = this.#worker.performance.eventLoopUtilization(then).idle === 0;
    const wasBusy = this.#worker.performance.eventLoopUtilization(since).utilization > MOSTLY;
    const reason = `it did not answer within ${call.timeoutMs} ms${stood ? ', and let nothing else run' : ''}`;
    if (this.state === 'ready') this.state = 'leaving';
    if (wasBusy && !this.#isFirst)
      this.#settle(id, { kind: 'undone', reason: 'its thread was busy with another hook' });
    else this.#settle(id, { kind: 'failed', reason });
    if (stood) void this.end();
  }

  /** No other call was ever in it: what became of it is the doing of this one. */
  get #isFirst(): boolean {
    return this.#calls === 1;
  }

  #settle(id: number, answer: HookAnswer): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.forget();
    this.#tasks.delete(id);
    task.end(answer);
    if (this.size === 0 && (this.alone || this.state === 'leaving')) void this.end();
    this.#deps.changed();
  }

  #ended(): void {
    if (this.state === 'starting') this.unusable ??= this.#last; // or another would be started in its place, for ever
    this.state = 'ended';
    const answer: HookAnswer = this.#isFirst
      ? { kind: 'failed', reason: this.#last }
      : { kind: 'undone', reason: ENDED };
    for (const id of [...this.#tasks.keys()]) this.#settle(id, answer);
    this.#deps.changed();
  }

  #printed(chunk: unknown): void {
    for (const text of String(chunk).split('\n').slice(0, MOST_LINES)) {
      if (text.trim() !== '') this.#deps.say({ hook: null, severity: 'info', text: text.slice(0, LINE_LENGTH) });
    }
  }
}

function isFromThread(message: unknown): message is FromThread {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return typeof message.kind === 'string' && KINDS.includes(message.kind);
}

const KINDS: readonly string[] = ['ready', 'unusable', 'answer', 'failure', 'line'] satisfies FromThread['kind'][];
/** Calls in one thread at once. */
const MOST_CALLS = 64;
/** From the signal to the end of patience. */
const GRACE_MS = 500;
const STARTED_WITHIN_MS = 20_000;
/** A loop that was busy for more of the time than this did not give a call its time. */
const MOSTLY = 0.5;
const ENDED = 'its thread ended, for its own sake or for that of another hook';
const MOST_LINES = 100;
const LINE_LENGTH = 4_096;
