import { resolve } from 'node:path';
import { type BaseUrl, PORTONE_URL, parseBaseUrl } from './base-url.ts';
import { ConfigError } from './config-error.ts';
import type { Secret } from './secret.ts';
import { type Env, isSet, type Rule, readSecret, readSetting, refuseUnknown, type Settings } from './settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says, read and checked one by one; null where it says nothing. Paths are absolute. */
export type Environment = {
  /** `MAEDAL_ENV`. Default `test`. */
  readonly mode: 'test' | 'live';
  readonly databaseUrl: Secret | null;
  readonly redisUrl: Secret | null;
  readonly apiKey: Secret | null;
  readonly apiSecret: Secret | null;
  readonly baseUrl: BaseUrl | null;
  /** `MAEDAL_SECRET`: at least 32 characters. */
  readonly secret: Secret | null;
  readonly apiToken: Secret | null;
  readonly operatorPassword: Secret | null;
  readonly configFile: string | null;
  /** Default 127.0.0.1. */
  readonly host: string;
  /** Default 3000; 0 for any free port. */
  readonly port: number;
  /** Default 4010. */
  readonly sandboxPort: number;
  /** Default `.maedal` in the working directory. */
  readonly dataDir: string;
  /** `MAEDAL_HEALTH_FILE`: kept young by a process that can work. Default none. */
  readonly healthFile: string | null;
  /** Default `info`. */
  readonly logLevel: LogLevel;
  /** `MAEDAL_FAILPOINTS` and `MAEDAL_FAILPOINT_SEED` (default 1); null where nothing is to fail. For tests alone. */
  readonly failpoints: { readonly text: string; readonly seed: number } | null;
};

/** An environment that was read, the problems found in it, and whether a name was set at all, rightly or not. */
export type Inspection = {
  readonly environment: Environment;
  readonly problems: readonly string[];
  readonly isSet: (name: string) => boolean;
};

/**
 * Reads the environment, this process's by default; `cwd` is what relative paths are relative to. Throws ConfigError
 * with all problems at once. What only some commands need, or only `live`, is asked for by `resolveConfig`.
 */
export function readEnvironment(env: Env = process.env, cwd = process.cwd()): Environment {
  const { environment, problems } = inspectEnvironment(env, cwd);
  if (problems.length > 0) throw new ConfigError(problems);
  return environment;
}

/** As `readEnvironment`, but tells the problems beside what could be read. */
export function inspectEnvironment(env: Env, cwd: string): Inspection {
  const settings: Settings = { env, problems: [], known: new Set() };
  const path = { parse: (text: string) => resolve(cwd, text), remedy: 'write a path' };
  const environment: Environment = {
    mode: readSetting(settings, 'MAEDAL_ENV', 'test', oneOf(['test', 'live'])),
    databaseUrl: readSecret(settings, 'DATABASE_URL', databaseUrlProblem),
    redisUrl: readSecret(settings, 'REDIS_URL', urlWith(['redis:', 'rediss:'])),
    apiKey: readEither(settings, 'PORTONE_API_KEY', 'IMP_KEY'),
    apiSecret: readEither(settings, 'PORTONE_API_SECRET', 'IMP_SECRET'),
    baseUrl: readSetting(settings, 'PORTONE_BASE_URL', null, BASE_URL),
    secret: readSecret(settings, 'MAEDAL_SECRET', (text) => (text.length < 32 ? 'has fewer than 32 characters' : null)),
    apiToken: readSecret(settings, 'MAEDAL_API_TOKEN'),
    operatorPassword: readSecret(settings, 'MAEDAL_OPERATOR_PASSWORD'),
    configFile: readSetting(settings, 'MAEDAL_CONFIG', null, path),
    host: readSetting(settings, 'MAEDAL_HOST', '127.0.0.1', HOST),
    port: readSetting(settings, 'MAEDAL_PORT', 3000, portFrom(0)),
    sandboxPort: readSetting(settings, 'MAEDAL_SANDBOX_PORT', 4010, portFrom(1)),
    dataDir: readSetting(settings, 'MAEDAL_DATA_DIR', resolve(cwd, '.maedal'), path),
    healthFile: readSetting(settings, 'MAEDAL_HEALTH_FILE', null, path),
    logLevel: readSetting(settings, 'LOG_LEVEL', 'info', oneOf(LOG_LEVELS)),
    failpoints: readFailpoints(settings),
  };
  refuseUnknown(settings);
  return { environment, problems: settings.problems, isSet: (name) => isSet(settings, name) };
}

/** Read here, understood by `failpoints.ts`. */
function readFailpoints(settings: Settings): Environment['failpoints'] {
  const text = readSetting<string | null>(settings, 'MAEDAL_FAILPOINTS', null, { parse: (value) => value, remedy: '' });
  const seed = readSetting(settings, 'MAEDAL_FAILPOINT_SEED', 1, SEED);
  return text === null ? null : { text, seed };
}

/** PortOne's own documents call its key pair imp_key and imp_secret. */
function readEither(settings: Settings, name: string, alias: string): Secret | null {
  const [value, other] = [readSecret(settings, name), readSecret(settings, alias)];
  if (value !== null && other !== null && value.reveal() !== other.reveal()) {
    settings.problems.push(`${name} and ${alias} differ; keep one`);
  }
  return value ?? other;
}

function databaseUrlProblem(text: string): string | null {
  const problem = POSTGRES_URL(text);
  if (problem !== null) return problem;
  const query = new URL(text).searchParams;
  if ([...query.values()].some((value) => value.includes('?')))
    return 'has a second ? in its query: join its parts by &';
  const limits = query.getAll('connection_limit');
  if (limits.length === 0 || (limits.length === 1 && /^[1-9]\d{0,2}$/.test(limits[0] ?? ''))) return null;
  return 'has a connection_limit that is not one whole number from 1 to 999';
}

function urlWith(protocols: readonly string[]): (text: string) => string | null {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url !== null && protocols.includes(url.protocol)) return null;
    return `is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  };
}

function oneOf<const T extends string>(values: readonly T[]): Rule<T> {
  return { parse: (text) => values.find((value) => value === text) ?? null, remedy: `use one of ${values.join(', ')}` };
}

function portFrom(min: number): Rule<number> {
  const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= min && Number(text) <= 65_535;
  return { parse: (text) => (isPort(text) ? Number(text) : null), remedy: `write a port from ${min} to 65535` };
}

const POSTGRES_URL = urlWith(['postgres:', 'postgresql:']);
const SEED: Rule<number> = {
  parse: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : null),
  remedy: 'write a whole number from 0 to 999999999',
};
const HOST: Rule<string> = {
  parse: (text) => (/^[\w.:-]{1,253}$/.test(text) ? text : null),
  remedy: 'write a host name or an IP address to listen on',
};
const BASE_URL: Rule<BaseUrl | null> = {
  parse: parseBaseUrl,
  remedy: `write an origin without path, such as ${PORTONE_URL}`,
};
