import type { Command } from 'commander';
import { toldOf } from '../app/hook-listeners.ts';
import { identityOf } from '../app/identity.ts';
import { type AppOptions, openSurroundings } from '../app.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { asError } from '../events.ts';
import { createPortOne } from '../gateway/portone/client.ts';
import { type Checkup, diagnose, renderFindings } from '../operator/doctor.ts';
import { inspectRedis } from '../queue/redis.ts';
import { daysBetweenTicks } from '../scheduler/schedule.ts';
import { openDb } from '../store/db.ts';
import { inspectDatabase, inspectStanding } from '../store/inspection.ts';
import { type Context, prepare, printResult } from './context.ts';

export function doctorCommand(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('check database, queue, gateway and clocks, and say what to do about each finding')
    .action(async () => {
      const { config, report } = await prepare();
      const findings = diagnose(await checkup(config, report));
      printResult(context, program.opts().json === true, { findings }, () => renderFindings(findings));
      const bad = findings.filter((finding) => finding.level === 'bad').length;
      if (bad > 0) throw new Error(`${bad} of ${findings.length} findings must be mended`);
    });
}

/** Looks at everything once, whatever is broken. */
async function checkup(config: Config, report: AppOptions['report']): Promise<Checkup> {
  const options = { config, report, clock: systemClock, who: 'maedal/doctor', claim: 'share' } as const;
  const surroundings = await openSurroundings(options).catch((error: unknown) => asError(error));
  try {
    return {
      environment: config.mode,
      daysBetweenTicks: daysBetweenTicks(config, systemClock.nowMs()),
      ...(surroundings instanceof Error
        ? { database: { error: surroundings }, standing: null }
        : await databaseFacts(surroundings.databaseUrl, config)),
      redis: config.queue.kind === 'postgres' ? null : await redisFacts(config.queue.url.reveal()),
      gateway: await gatewayFacts(config),
      secretIsGenerated: config.credentialsFile !== null,
    };
  } finally {
    if (!(surroundings instanceof Error)) await surroundings.close();
  }
}

async function databaseFacts(url: string, config: Config): Promise<Pick<Checkup, 'database' | 'standing'>> {
  const db = openDb({ url, who: 'maedal/doctor', connections: 1 });
  try {
    const facts = await inspectDatabase(db, url);
    const hostNowMs = systemClock.nowMs();
    const isReadable = facts.pendingMigrations.length === 0; // older tables may lack what is asked for
    const configured = {
      policies: Object.keys(config.policies),
      channels: Object.keys(config.channels),
      told: toldOf(config),
    };
    const standing = isReadable ? await inspectStanding(db, await identityOf(config, db), configured) : null;
    return { database: { facts, hostNowMs }, standing };
  } catch (error) {
    return { database: { error: asError(error) }, standing: null };
  } finally {
    await db.$disconnect();
  }
}

async function redisFacts(url: string): Promise<Checkup['redis']> {
  return inspectRedis(url).catch((error: unknown) => ({ error: asError(error) }));
}

async function gatewayFacts({ gateway }: Config): Promise<Checkup['gateway']> {
  const { baseUrl, key, secret, kind } = gateway;
  const portOne = createPortOne({
    baseUrl,
    key: key.reveal(),
    secret: secret.reveal(),
    clock: systemClock,
    connections: 1,
  });
  try {
    return { readiness: await portOne.ready(), hostNowMs: systemClock.nowMs(), isSandbox: kind === 'sandbox' };
  } finally {
    await portOne.close();
  }
}
