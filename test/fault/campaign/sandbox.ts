import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { pause, systemClock } from '../../../src/clock.ts';
import { freePort } from '../../support/process.ts';
import { standBy, type Undertaker } from '../../support/undertaker.ts';
import type { Plan } from './options.ts';

/** A fault as the sandbox's control plane takes it. */
export type SandboxFault = {
  readonly on: string;
  readonly what: string;
  readonly rate: number;
  readonly seed?: number;
  readonly params?: Readonly<Record<string, number>>;
};

/** The gateway: a process of its own that nobody kills and nobody slows. */
export class CampaignSandbox {
  readonly url: string;
  /** Where it writes down everything before it does it. */
  readonly ledger: string;
  readonly #child: ChildProcess;
  readonly #undertaker: Undertaker;

  private constructor(url: string, ledger: string, child: ChildProcess) {
    this.url = url;
    this.ledger = ledger;
    this.#child = child;
    this.#undertaker = standBy(`kill ${child.pid}`);
  }

  /** `webhookUrl`: where it tells of captures, by itself and with no promise that it does. */
  static async start(main: string, directory: string, plan: Plan, webhookUrl: string): Promise<CampaignSandbox> {
    const port = await freePort();
    const dataDir = join(directory, 'gateway');
    const modes = [
      `duplicateUid=${DUPLICATE_MODES[plan.duplicates]}`,
      // Asked again at the moment of capture, unless the gateway is to be at its worst.
      `concurrency=${plan.duplicates === 'accept' ? 'both' : 'serialise'}`,
      `duplicateLeavesRecord=${plan.duplicates === 'refuse-any'}`, // which hides what was captured under the id
      `chargeLatencyMs=${THINKING_MS}`,
      `webhookUrl=${webhookUrl}`,
    ];
    const log = openSync(join(directory, 'logs', 'gateway.log'), 'a');
    const child = spawn(process.execPath, [main, 'sandbox', ...modes.flatMap((mode) => ['--mode', mode])], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', MAEDAL_DATA_DIR: dataDir, MAEDAL_SANDBOX_PORT: String(port) },
      stdio: ['ignore', log, log],
      detached: true,
    });
    const sandbox = new CampaignSandbox(`http://127.0.0.1:${port}`, join(dataDir, 'sandbox', 'ledger.jsonl'), child);
    for (let tries = 0; !(await sandbox.#answers()); tries += 1) {
      if (tries > 400 || child.exitCode !== null) throw new Error('the sandbox did not start: see logs/gateway.log');
      await pause(systemClock, 50);
    }
    return sandbox;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async setFaults(faults: readonly SandboxFault[]): Promise<void> {
    await this.#ask('DELETE', '/_sandbox/faults');
    if (faults.length > 0) await this.#ask('POST', '/_sandbox/faults', { faults });
  }

  /** How often each kind of fault has struck since `setFaults`. */
  async faultCounts(): Promise<ReadonlyMap<string, number>> {
    const { data } = (await this.#ask('GET', '/_sandbox/faults')) as {
      data: { on: string; what: string; fired: number }[];
    };
    return new Map(data.filter(({ fired }) => fired > 0).map(({ on, what, fired }) => [`${on} ${what}`, fired]));
  }

  async setClock(nowMs: number): Promise<void> {
    await this.#ask('POST', '/_sandbox/clock', { now: new Date(nowMs).toISOString() });
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.kill('SIGTERM')) await ended;
    this.#undertaker.dismiss();
  }

  async #answers(): Promise<boolean> {
    return this.#ask('GET', '/_sandbox/clock').then(
      () => true,
      () => false,
    );
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.url}${path}`, { method, ...init });
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}

const DUPLICATE_MODES = {
  'refuse-paid': 'refuse-paid-or-cancelled',
  'refuse-any': 'refuse-any-used',
  accept: 'accept',
};
/** Long enough that a good part of the processes that die hold a charge in flight. By the campaign's clock. */
const THINKING_MS = 400;
