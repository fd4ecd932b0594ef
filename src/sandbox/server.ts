import { ok as assert } from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { awaitFuture, type Core } from './core.ts';
import type { Entry } from './entry.ts';
import { Faults } from './faults/faults.ts';
import { buildHttp } from './http.ts';
import { type Ledger, memoryLedger, openLedger } from './ledger.ts';
import { DEFAULT_MODES, type SandboxModes } from './modes.ts';
import { awaitRecovery } from './recovery.ts';
import { endOpenRequests } from './request-log.ts';
import { awaitSchedule } from './schedules.ts';
import { apply, emptyState } from './state.ts';
import { SandboxTime } from './time.ts';
import { Tokens } from './tokens.ts';
import { Webhooks } from './webhooks.ts';

/** How to run a sandbox. */
export type SandboxOptions = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where the ledger lives; null keeps everything in memory only. */
  readonly directory: string | null;
  readonly clock: Clock;
  /** imp_key → imp_secret; unknown pairs get 401. Default: `imp_sandbox` / `sandbox_secret`. */
  readonly keys?: ReadonlyMap<string, string>;
  readonly modes?: Partial<SandboxModes>;
  /** Told when a request gets no answer and is held until its caller leaves (1), and when that has left (-1). */
  readonly held?: (by: 1 | -1) => void;
};

/** A sandbox that is serving. */
export type Sandbox = { readonly url: string; close(): Promise<void> };

/**
 * Serves PortOne V1 on this machine, with test cards instead of payment companies, and `/_sandbox/` to steer it. What it
 * answered for is on disk and there again after a restart. Rejects with `code` EADDRINUSE when the port is taken, with
 * InputError when another sandbox uses the directory or its ledger cannot be read.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const state = emptyState();
  const ledger = await ledgerFor(options.directory, (entry) => apply(state, entry));
  const time = new SandboxTime(options.clock, state.offsetMs);
  const core: Core = {
    state,
    ledger,
    time,
    tokens: new Tokens(options.keys ?? DEFAULT_KEYS),
    modes: { ...DEFAULT_MODES, ...options.modes },
    faults: new Faults(),
    webhooks: new Webhooks(),
    held: options.held ?? (() => undefined),
  };
  const app = buildHttp(core);
  const close = async () => {
    time.stop();
    await core.webhooks.close();
    try {
      await app.close();
    } finally {
      await ledger.close();
    }
  };
  try {
    resumeUndecided(core);
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    url: urlOf(options.host, app.server.address()),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function ledgerFor(directory: string | null, replay: (entry: Entry) => void): Promise<Ledger> {
  return directory === null ? memoryLedger : openLedger(directory, replay);
}

/** Requests, late captures, flips and schedules of the run before; those that fell due in between happen now. */
function resumeUndecided(core: Core): void {
  endOpenRequests(core);
  const { payments, promised } = core.state;
  for (const payment of [...payments.values(), ...promised.values()]) awaitFuture(core, payment);
  for (const schedule of core.state.schedules.values()) awaitSchedule(core, schedule);
  awaitRecovery(core, core.time.nowMs());
  core.time.catchUp();
}

function urlOf(host: string, address: AddressInfo | string | null): string {
  assert(typeof address === 'object' && address !== null, 'a listening server has an address');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

const DEFAULT_KEYS: ReadonlyMap<string, string> = new Map([['imp_sandbox', 'sandbox_secret']]);
