import { assertNever } from '../billing/errors.ts';
import type { Readiness } from '../gateway/gateway.ts';
import type { RedisFacts } from '../queue/redis.ts';
import type { DatabaseFacts, Standing } from '../store/inspection.ts';
import { standingFindings } from './doctor-standing.ts';
import type { Finding } from './finding.ts';

/** What could not be asked, and why. */
type Failed = { readonly error: Error };

/** What was seen. A clock is read together with this host's, so that the two can be compared. */
export type Checkup = {
  readonly environment: 'test' | 'live';
  readonly database: { readonly facts: DatabaseFacts; readonly hostNowMs: number } | Failed;
  /** Null where the database cannot be asked, or lacks migrations. */
  readonly standing: Standing | null;
  /** The longest time between two ticks of the `schedule`, in days. */
  readonly daysBetweenTicks: number;
  /** Null when the queue is in Postgres. */
  readonly redis: RedisFacts | Failed | null;
  readonly gateway: { readonly readiness: Readiness; readonly hostNowMs: number; readonly isSandbox: boolean };
  /** Whether MAEDAL_SECRET was generated into the data directory. */
  readonly secretIsGenerated: boolean;
};

/** Judges what was seen. Pure. */
export function diagnose(checkup: Checkup): Finding[] {
  const { database } = checkup;
  return [
    ...('error' in database ? [databaseAway(database)] : databaseFindings(database.facts)),
    ...redisFindings(checkup.redis),
    gatewayFinding(checkup.gateway.readiness),
    ...clockFindings(checkup),
    environmentFinding(checkup),
    ...(checkup.standing === null ? [] : standingFindings(checkup.standing, checkup.daysBetweenTicks)),
    recoveryFinding(checkup),
    backupFinding(checkup),
  ];
}

/** Findings for a terminal, one after the other. Ends without a newline. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ name, level, says, doThis }) => {
      const line = `${level.toUpperCase().padEnd(4)}  ${name}: ${says}`;
      return doThis === undefined ? line : `${line}\n      → ${doThis}`;
    })
    .join('\n');
}

function databaseAway(failed: Failed): Finding {
  const doThis = 'check DATABASE_URL, and that PostgreSQL runs and lets this host in';
  return { name: 'database', level: 'bad', says: `cannot be asked: ${briefly(failed)}`, doThis };
}

function databaseFindings({ version, pendingMigrations }: DatabaseFacts): Finding[] {
  const old = Number.parseInt(version, 10) < MIN_POSTGRES;
  const missing = pendingMigrations.length;
  return [
    old
      ? {
          name: 'database',
          level: 'bad',
          says: `PostgreSQL ${version} is older than ${MIN_POSTGRES}`,
          doThis: `move to PostgreSQL ${MIN_POSTGRES} or later`,
        }
      : { name: 'database', level: 'ok', says: `PostgreSQL ${version} answers` },
    missing > 0
      ? {
          name: 'migrations',
          level: 'bad',
          says: `${missing} not applied: ${pendingMigrations.join(', ')}`,
          doThis: 'run `maedal migrate`',
        }
      : { name: 'migrations', level: 'ok', says: 'all applied' },
  ];
}

function redisFindings(redis: Checkup['redis']): Finding[] {
  if (redis === null) return [{ name: 'queue', level: 'ok', says: 'in PostgreSQL, because REDIS_URL is not set' }];
  if ('error' in redis) {
    const doThis = 'check REDIS_URL, and that Redis runs and lets this host in';
    return [{ name: 'redis', level: 'bad', says: `cannot be asked: ${briefly(redis)}`, doThis }];
  }
  return [redisVersion(redis), redisEviction(redis), redisPersistence(redis)];
}

/** BullMQ 6.7 refuses Redis before 5.0 and recommends 6.2. */
function redisVersion({ version }: RedisFacts): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return { name: 'redis', level: 'ok', says: `Redis ${version} answers` };
  const level = major < 5 ? 'bad' : 'warn';
  return { name: 'redis', level, says: `Redis ${version} is older than 6.2`, doThis: 'move to Redis 6.2 or later' };
}

function redisEviction({ maxmemoryPolicy: policy }: RedisFacts): Finding {
  if (policy === 'noeviction') return { name: 'redis eviction', level: 'ok', says: 'off' };
  return {
    name: 'redis eviction',
    level: 'bad',
    says: `maxmemory-policy is '${policy}': Redis may throw jobs away when its memory is full`,
    doThis: 'set `maxmemory-policy noeviction`',
  };
}

function redisPersistence({ aofEnabled, rdbSave }: RedisFacts): Finding {
  if (aofEnabled) return { name: 'redis persistence', level: 'ok', says: 'append-only file on' };
  return {
    name: 'redis persistence',
    level: 'warn',
    says: `${rdbSave === '' ? 'off' : 'snapshots only'}: a crash of Redis loses jobs, which are rung again minutes later`,
    doThis: 'set `appendonly yes`',
  };
}

function gatewayFinding(readiness: Readiness): Finding {
  switch (readiness.kind) {
    case 'ready':
      return { name: 'gateway', level: 'ok', says: 'takes the key pair' };
    case 'refused':
      return {
        name: 'gateway',
        level: 'bad',
        says: `refuses the key pair: ${readiness.reason}`,
        doThis: 'compare PORTONE_API_KEY and PORTONE_API_SECRET with the PortOne console (V1 REST API key and secret)',
      };
    case 'unreachable':
      return {
        name: 'gateway',
        level: 'bad',
        says: `cannot be reached: ${readiness.reason}`,
        doThis: 'check PORTONE_BASE_URL, and that this host may reach it',
      };
    default:
      return assertNever(readiness);
  }
}

function clockFindings({ database, gateway }: Checkup): Finding[] {
  if ('error' in database) return [];
  const databaseAheadMs = database.facts.nowMs - database.hostNowMs;
  const host = clockFinding('host clock', "this host's clock and the database's", -databaseAheadMs, Infinity);
  if (gateway.readiness.kind !== 'ready') return [host];
  const gatewayAheadMs = gateway.readiness.gatewayNowMs - gateway.hostNowMs;
  const ahead = databaseAheadMs - gatewayAheadMs;
  return [host, clockFinding('database clock', "the database's clock and the gateway's", ahead, MAX_SKEW_MS)];
}

function clockFinding(name: string, clocks: string, aheadMs: number, stopsAtMs: number): Finding {
  const apart = Math.abs(aheadMs);
  const seconds = Math.round(apart / 1_000);
  if (apart <= AGREE_MS) return { name, level: 'ok', says: `${clocks} agree within ${AGREE_MS / 1_000} s` };
  const doThis = 'let NTP (chrony, systemd-timesyncd) set the clocks of this host and of the database server';
  const level = apart > stopsAtMs ? 'bad' : 'warn';
  return {
    name,
    level,
    says: `${clocks} are ${seconds} s apart${level === 'bad' ? ': what is due is judged by the wrong time' : ''}`,
    doThis,
  };
}

function environmentFinding({ environment, database, gateway }: Checkup): Finding {
  const name = 'environment';
  if (gateway.isSandbox && environment === 'live') {
    const doThis = 'unset PORTONE_BASE_URL and set PORTONE_API_KEY and PORTONE_API_SECRET';
    return { name, level: 'bad', says: 'MAEDAL_ENV is live, but the gateway is the sandbox', doThis };
  }
  const keys = 'error' in database ? null : database.facts.keys;
  const wrong = (environment === 'live' ? keys?.sandbox : keys?.live) ?? 0;
  if (wrong === 0) return { name, level: 'ok', says: `${environment}, and no card says otherwise` };
  const [kind, means] = environment === 'live' ? ['test', 'no money moves'] : ['live', 'real money would move'];
  return {
    name,
    level: environment === 'live' ? 'warn' : 'bad',
    says: `MAEDAL_ENV is ${environment}, but PortOne calls ${wrong} stored cards ${kind} cards (${means}); they are held`,
    doThis: 'check MAEDAL_ENV, and that this is the right database',
  };
}

/**
 * PortOne's Recovery charges declined payments again every day (help centre, admin-console/payment-service/content29;
 * read August 2026). No API tells whether it is on.
 */
function recoveryFinding({ gateway }: Checkup): Finding {
  const name = 'recovery';
  if (gateway.isSandbox) return { name, level: 'ok', says: 'the sandbox has none' };
  return {
    name,
    level: 'warn',
    says: "is PortOne's Recovery (리커버리) off? It would charge declined payments every day behind maedal's back",
    doThis:
      'open the billing payments (정기결제, 빌링결제) in the PortOne console and switch Recovery off; no API can be asked',
  };
}

function backupFinding({ secretIsGenerated }: Checkup): Finding {
  const name = 'backup';
  const doThis =
    'keep a copy of MAEDAL_SECRET apart from the backups of the database: every payment id follows from it';
  if (!secretIsGenerated) return { name, level: 'ok', says: 'MAEDAL_SECRET is yours to keep', doThis };
  return { name, level: 'warn', says: 'MAEDAL_SECRET was generated and exists in the data directory only', doThis };
}

/** The last line of an error's message: Prisma puts the call above what went wrong. */
function briefly({ error }: Failed): string {
  return error.message.trim().split('\n').at(-1)?.trim() || error.name;
}

const MIN_POSTGRES = 14;
const AGREE_MS = 5_000;
const MAX_SKEW_MS = 300_000;
