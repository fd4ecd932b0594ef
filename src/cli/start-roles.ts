import { watchFence } from '../app/fence-watch.ts';
import { channelOf, inboundDeps, loopDeps, policyVersions, refundDeps, workerDeps } from '../app/flow-deps.ts';
import { toldOf } from '../app/hook-listeners.ts';
import { notifyDeps } from '../app/notify-deps.ts';
import { startPassLoop } from '../app/pass-loop.ts';
import { type App, named } from '../app.ts';
import { pause } from '../clock.ts';
import type { Role } from '../config/roles.ts';
import { asError } from '../events.ts';
import { followHints } from '../inbound/follow-hints.ts';
import { webhookRoute } from '../inbound/webhook-route.ts';
import { startRelay } from '../notify/relay.ts';
import type { ChargeJob, ChargeQueue } from '../queue/charge-queue.ts';
import { startLoop } from '../scheduler/loop.ts';
import { type Fence, readFence } from '../store/fence.ts';
import { hintStore } from '../store/hints.ts';
import { pending } from '../store/migrate.ts';
import { runFencedJob } from '../worker/fenced-job.ts';
import { refundDue } from '../worker/refund.ts';
import { keepHealthFile } from './health-file.ts';
import { openQueue } from './open-queue.ts';
import { demandOurs } from './ours.ts';

/** What runs, and where people look. */
export type Running = { readonly consoleUrl: string | null };

type Start = {
  readonly stopped: AbortSignal;
  /** Runs once the console listens, and before anything is charged: a port that is taken leaves nothing half-done. */
  readonly beforeWork: () => Promise<void>;
};

/**
 * Starts the roles over an open app, which stops them when it closes: from one instant on no new pass, no new charge and no
 * new refund, those in hand are finished, then the servers and the queue close. Throws ConfigError when the console's
 * port is taken.
 */
export async function startRoles(app: App, roles: ReadonlySet<Role>, start: Start): Promise<Running> {
  const queue = await openQueue(app, start.stopped);
  app.onClose(() => queue.close());
  const consoleUrl = roles.has('console') ? await openConsole(app, queue) : null;
  await start.beforeWork();
  // A tick or an audit may take minutes: meanwhile nothing is charged any more.
  const closes: Close[] = [];
  app.onClose(() => together(closes));
  if (roles.has('worker')) closes.push(await startWorker(app, queue, start.stopped));
  if (roles.has('scheduler')) {
    const { schedule, timezone } = app.config;
    const loop = startLoop(loopDeps(app, queue), { schedule, timezone });
    closes.push(() => loop.close());
  }
  const { clock, report } = app;
  const isHealthy = async () => (await readiness(app, queue)).ok;
  const health = await keepHealthFile({ file: app.config.healthFile, clock, report, isHealthy });
  app.onClose(() => health.close());
  return { consoleUrl };
}

type Close = () => Promise<void>;

const nothing: Close = async () => undefined;

/** Told all at once: nobody begins anything while another one finishes what it has in hand. Rejects once all have ended. */
async function together(closes: readonly Close[]): Promise<void> {
  const ended = await Promise.allSettled(closes.map((close) => close()));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

/**
 * Takes no job while the database belongs to another installation: the rings are for that one's workers. Returns what
 * stops it.
 */
async function startWorker(app: App, queue: ChargeQueue, stopped: AbortSignal): Promise<Close> {
  const fence = watchFence(app.db, app.identity, app.clock);
  const deps = { ...workerDeps(app), fence, stopped };
  const handle = async (job: ChargeJob) => {
    try {
      await runFencedJob(deps, job);
    } catch (error) {
      app.report({ kind: 'work.failed', where: 'charge', error: asError(error) });
      throw error;
    }
  };
  const begin = async (): Promise<Close> => {
    const consumer = await queue.consume(handle, app.config.limits.concurrency);
    const [refunding, inbound] = [refundDeps(app), inboundDeps(app)];
    const refunds = startPassLoop({ ...app, where: 'refund', pass: (signal) => refundDue(refunding, { signal }) });
    const relay = startRelay(notifyDeps(app));
    const hints = startPassLoop({ ...app, where: 'hints', pass: (signal) => followHints(inbound, signal) });
    return () => together([() => consumer.close(), () => refunds.close(), () => relay.close(), () => hints.close()]);
  };
  if ((await fence()).kind !== 'foreign') return begin();
  const leaving = new AbortController();
  const waiting = adopted(app, fence, leaving.signal).then((isOurs) => (isOurs ? begin() : nothing));
  const begun = waiting.catch((error: unknown) => {
    app.report({ kind: 'work.failed', where: 'charge', error: asError(error) });
    return nothing;
  });
  return async () => {
    leaving.abort();
    await (await begun)();
  };
}

/** Whether the database became ours before this process leaves. */
async function adopted(app: App, fence: () => Promise<Fence>, leaving: AbortSignal): Promise<boolean> {
  while (!leaving.aborted) {
    await pause(app.clock, FENCED_MS, leaving);
    const now = await fence().catch(() => null); // the database is away: ask again
    if (now !== null && now.kind !== 'foreign') return !leaving.aborted;
  }
  return false;
}

async function openConsole(app: App, queue: ChargeQueue): Promise<string> {
  // A worker is up sooner without these.
  const { startConsole } = await import('../operator/server.ts');
  const { importSettings } = await import('../app/import-deps.ts');
  const { config, db, report, clock } = app;
  if (config.login === null) throw new Error('the console has no login');
  const { host, port } = config.http;
  const deps = {
    db,
    fingerprint: app.identity.fingerprint,
    versions: policyVersions(config),
    listeners: toldOf(config),
    imports: importSettings(app),
    channel: (name: string) => channelOf(config, name),
    apiToken: config.login.apiToken.reveal(),
    operatorPassword: config.login.operatorPassword.reveal(),
    queues: [queue.board],
    webhooks: webhookRoute({ ...hintStore(db, app.identity.fingerprint), sources: config.webhooks, clock }),
    readiness: () => readiness(app, queue),
    report: (error: Error, where: string) => report({ kind: 'work.failed', where: `console ${where}`, error }),
  };
  const console = await startConsole(deps, { host, port }).catch((error: unknown) => {
    throw named(error, 'MAEDAL_PORT', port);
  });
  app.onClose(() => console.close());
  return console.url;
}

async function readiness(app: App, queue: ChargeQueue) {
  const missing = await ask('database', async () => {
    const names = await pending(app.databaseUrl);
    return names.length === 0 ? 'reachable and migrated' : `lacks ${names.join(', ')}; run \`maedal migrate\``;
  });
  const database = { ...missing, ok: missing.ok && !missing.detail.startsWith('lacks') };
  const doorbell = await ask('queue', async () => `${await queue.waiting()} jobs waiting`);
  const fence = await ask('fence', async () => {
    await demandOurs(app);
    const { kind } = await readFence(app.db, app.identity);
    return kind === 'open' ? 'this database is ours' : 'nothing is sent before `maedal adopt`';
  });
  return { ok: database.ok && doorbell.ok && fence.ok, checks: [database, doorbell, fence] };
}

async function ask(
  name: string,
  question: () => Promise<string>,
): Promise<{ name: string; ok: boolean; detail: string }> {
  try {
    return { name, ok: true, detail: await question() };
  } catch (error) {
    return { name, ok: false, detail: asError(error).message };
  }
}

const FENCED_MS = 5_000;
