import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { withImportDeps } from '../app/import-deps.ts';
import { type App, openApp, StoppedWaiting } from '../app.ts';
import { pause, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { parseRoles, ROLES, type Role } from '../config/roles.ts';
import { asError } from '../events.ts';
import { WEBHOOK_PATH } from '../inbound/webhook-route.ts';
import { importFile } from '../operator/import/import-file.ts';
import { fillTemplate } from '../operator/import/template.ts';
import { PACKAGE } from '../own-files.ts';
import { readSending } from '../store/control.ts';
import { databaseNow } from '../store/due.ts';
import { readFence } from '../store/fence.ts';
import { isEmpty, type Progress, readProgress } from '../store/progress.ts';
import { type Context, prepare, untilAborted } from './context.ts';
import { nextDue } from './next-due.ts';
import { startRoles } from './start-roles.ts';
import { stopLimitMs } from './stop-limit.ts';

export function startCommand(program: Command, context: Context): void {
  program
    .command('start')
    .description('run scheduler, worker and console until told to stop')
    .option('--roles <names>', `only these, with commas between: ${ROLES.join(', ')}`, parseRoles)
    .action(async (options: { roles?: readonly Role[] }) => {
      await start(options.roles ?? null, context).catch((error: unknown) => {
        if (!(error instanceof StoppedWaiting)) throw error;
      });
      context.print('stopped');
    });
}

async function start(named: readonly Role[] | null, context: Context): Promise<void> {
  const { config, report } = await prepare({ start: { roles: named } });
  context.mayTakeToStop(stopLimitMs(config));
  const roles = new Set(named ?? ROLES);
  const app = await openApp({
    config,
    report,
    clock: systemClock,
    who: `maedal/${named === null ? 'start' : [...roles].join('+')}`,
    claim: 'own',
    patient: context.stopped,
    ...(roles.has('console') ? { webhooksTo: webhookUrl(config) } : {}),
  });
  try {
    const running = await startRoles(app, roles, {
      stopped: context.stopped,
      beforeWork: async () => (isUnconfigured(config) ? importExamples(app, context) : undefined),
    });
    await greet(app, roles, running.consoleUrl, context);
    await untilAborted(context.stopped);
    context.print('stopping: charges in hand are finished first');
  } finally {
    await app.close();
  }
}

/** The console's own door for webhooks, as this machine reaches it. */
function webhookUrl({ http: { host, port } }: Config): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? '[::1]' : host;
  return `http://${name}:${port}${WEBHOOK_PATH}`;
}

/** Nothing was configured: neither what is sold, nor where it is kept, nor who charges. */
function isUnconfigured({ configFile, database, gateway }: Config): boolean {
  return configFile === EXAMPLE_CONFIG && database.kind === 'embedded' && gateway.runInside;
}

/** A first start without any configuration has something to bill: the example merchant, with dates around today. */
async function importExamples(app: App, context: Context): Promise<void> {
  if (!(await isEmpty(app.db))) return;
  const { dataDir, timezone } = app.config;
  const template = await readFile(new URL('subscribers.template.csv', EXAMPLES), 'utf8');
  const file = join(dataDir, 'example-subscribers.csv');
  await mkdir(dataDir, { recursive: true });
  // Names and telephone numbers of payers, if only of examples.
  await writeFile(file, fillTemplate(template, await databaseNow(app.db), timezone), { mode: 0o600 });
  const { imported } = await withImportDeps(app, (deps) => importFile(deps, file, { dryRun: false }));
  context.print(`imported ${imported} example subscribers (${file})`);
}

async function greet(app: App, roles: ReadonlySet<Role>, consoleUrl: string | null, context: Context): Promise<void> {
  const { gateway, mode, credentialsFile } = app.config;
  context.print(`maedal is running: ${[...roles].join(', ')} (${mode}), charging through ${gateway.baseUrl}`);
  if (consoleUrl !== null) {
    context.print(`console   ${consoleUrl}/  (queues at ${consoleUrl}/queues)`);
    context.print(
      `login     ${credentialsFile === null ? 'MAEDAL_OPERATOR_PASSWORD and MAEDAL_API_TOKEN as configured' : `password and API token are in ${credentialsFile}`}`,
    );
  }
  const stops = await whatStops(app);
  for (const line of stops) context.print(line);
  if (roles.size < ROLES.length || stops.length > 0) return;
  const progress = await firstRun(app, context.stopped);
  if (progress !== null) context.print(summary(progress));
  if (consoleUrl !== null) context.print(`watch it at ${consoleUrl}/`);
}

/** Why nothing is charged, if so: whoever starts it must not have to look for that. */
async function whatStops({ db, identity }: App): Promise<string[]> {
  const [fence, sending] = [await readFence(db, identity), await readSending(db)];
  const stops: string[] = [];
  if (fence.kind === 'foreign')
    stops.push(`reads only: ${fence.reason}; if it is to be charged from here, \`maedal adopt\``);
  if (fence.kind === 'not-adopted') stops.push(`sends nothing: ${fence.reason}; see \`maedal adopt\``);
  if (!sending.enabled) stops.push(`sends nothing: ${sending.reason ?? 'no reason was given'}; see \`maedal send\``);
  return stops;
}

/** Waits until everything due was tried, and a while longer for answers that come late. */
async function firstRun(app: App, stopped: AbortSignal): Promise<Progress | null> {
  for (let waitedMs = 0; ; waitedMs += GLANCE_MS) {
    await pause(app.clock, GLANCE_MS, stopped);
    if (stopped.aborted) return null;
    const progress = await glance(app);
    if (progress === null) continue; // the database is away; what runs goes on by itself
    const quiet = progress.underway === 0 && (progress.unknown === 0 || waitedMs >= LATE_ANSWERS_MS);
    if (quiet || waitedMs >= LONGEST_MS) return progress;
  }
}

async function glance(app: App): Promise<Progress | null> {
  return readProgress(app.db).catch((error: unknown) => {
    app.report({ kind: 'work.failed', where: 'summary', error: asError(error) });
    return null;
  });
}

function summary(progress: Progress): string {
  const counted: [number, string][] = [
    [progress.paid, 'paid'],
    [progress.retrying, 'declined (tried again later)'],
    [progress.uncollectible, 'given up'],
    [progress.held, 'held for you'],
    [progress.review, 'for you to review'],
    [progress.unknown, 'waiting for the gateway to tell'],
    [progress.underway, 'under way'],
  ];
  const said = counted
    .filter(([count, name]) => count > 0 || name === 'paid')
    .map(([count, name]) => `${count} ${name}`);
  return `${progress.subscriptions} subscriptions: ${said.join(', ')}; next due ${nextDue(progress)}`;
}

const EXAMPLES = new URL('examples/', PACKAGE);
const EXAMPLE_CONFIG = fileURLToPath(new URL('maedal.config.ts', EXAMPLES));

const GLANCE_MS = 500;
const LATE_ANSWERS_MS = 20_000;
const LONGEST_MS = 50_000;
