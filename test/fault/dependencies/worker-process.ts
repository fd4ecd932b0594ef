import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Inbox } from '../../queue/inbox.ts';
import { ROOT } from '../../support/repository.ts';

/** Where a queue of BullMQ's lives, and how a worker on it behaves. */
export type WorkerSettings = {
  readonly backend: 'redis' | 'postgres';
  readonly url: string;
  readonly queue: string;
  readonly lockDuration?: number;
  /** Milliseconds between looks for stalled jobs; it does not look at all unless told. */
  readonly stalledInterval?: number;
  /** How far its wall clock is ahead of ours; its monotonic clock is as it should be. */
  readonly clockAheadMs?: number;
  /** Keeps each job in hand until told to finish. */
  readonly hold?: boolean;
};

/**
 * A bare BullMQ worker in a process of its own. It tells `took <job id>` when its processor is called, `ran <id>` when
 * that returns (a job whose data says `fail` throws), `completed <id>`, `failed <id> <why>`, and `checked` after each
 * look for stalled jobs.
 */
export class WorkerProcess {
  readonly #child;
  readonly #told = new Inbox<string>();

  private constructor(settings: WorkerSettings) {
    const jump = `const real = Date.now; Date.now = () => real() + ${settings.clockAheadMs ?? 0};`;
    const preload = `data:text/javascript,${encodeURIComponent(jump)}`;
    const args = ['--import', preload, '--input-type=module', '-e', BODY, JSON.stringify(settings)];
    this.#child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#told.put(line));
    this.#child.once('close', () => this.#told.put(ENDED));
    this.#child.stdin.on('error', () => undefined);
  }

  /** Resolves once it listens for jobs. */
  static async start(settings: WorkerSettings): Promise<WorkerProcess> {
    const worker = new WorkerProcess(settings);
    await worker.tells('ready');
    return worker;
  }

  /** All it has told. */
  get told(): readonly string[] {
    return this.#told.all;
  }

  /** Resolves at the `times`-th line that starts so, after the last one awaited. Rejects when the process ends first. */
  async tells(line: string, times = 1): Promise<void> {
    for (let left = times; left > 0; ) {
      const [next = ''] = await this.#told.take(1);
      if (next === ENDED) throw new Error(`the worker ended before it told '${line}':\n${this.told.join('\n')}`);
      if (next.startsWith(line)) left -= 1;
    }
  }

  finish(): void {
    this.#child.stdin.write('finish\n');
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  /** Dies at once. Twice is fine. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

const ENDED = 'ended';

/** What the process runs; it ends with its standard input, so never later than the test. */
const BODY = `
import { createPostgresBackend, Worker } from 'bullmq';
const { backend, url, queue, lockDuration = 30_000, stalledInterval, hold = false } = JSON.parse(process.argv[1]);
const tell = (line) => process.stdout.write(line + '\\n');
let finish;
let finished = new Promise((resolve) => { finish = resolve; });
process.stdin.on('data', () => finish()).on('end', () => process.exit());
const work = async (job) => {
  tell('took ' + job.id);
  if (hold) await finished;
  tell('ran ' + job.id);
  if (job.data.fail) throw new Error('as told');
};
const options = { // it never asks by itself: whatever it takes, it was told of
  lockDuration, drainDelay: 3_600, runRetryDelay: 100, autorun: false,
  stalledInterval: stalledInterval ?? 30_000, skipStalledCheck: stalledInterval === undefined,
  connection: backend === 'redis' ? { url, maxRetriesPerRequest: null } : { connectionString: url, max: 5 },
};
const worker = new Worker(queue, work, options, ...(backend === 'redis' ? [] : [createPostgresBackend]));
worker.on('error', (error) => tell('error ' + error.message));
worker.on('completed', (job) => tell('completed ' + job.id));
worker.on('failed', (job, error) => tell('failed ' + job?.id + ' ' + error.message));
const check = worker.moveStalledJobsToWait.bind(worker);
worker.moveStalledJobsToWait = async () => { await check(); tell('checked'); };
await worker.waitUntilReady();
void worker.run();
tell('ready');
`;
