import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PACKAGE } from '../own-files.ts';
import { resolveChannels, type Setting } from './channels.ts';
import type { Config, DatabaseConfig, GatewayConfig, QueueConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { keepCredentials } from './credentials.ts';
import { type Environment, inspectEnvironment } from './environment.ts';
import { resolveEvents } from './events.ts';
import { parseFileConfig } from './file-config.ts';
import { chooseGateway } from './gateway-choice.ts';
import { resolveHooks } from './hooks.ts';
import { liveProblems, type Start } from './live-rules.ts';
import { findConfigFile, loadConfigFile, refuseForeignWriters } from './load-config.ts';
import { named } from './named.ts';
import { resolvePlans } from './plans.ts';
import { policyVersion, resolvePolicies } from './policies.ts';
import type { FileConfig } from './schema.ts';
import type { Env } from './settings.ts';
import { resolveWebhooks } from './webhooks.ts';

export type ResolveOptions = {
  /** Default: this process's. */
  readonly env?: Env;
  /** What relative paths are relative to, and where `maedal.config.ts` is looked for. Default: the working directory. */
  readonly cwd?: string;
  /** Given by `start` alone. */
  readonly start?: Start;
  /** The configuration where there is no `maedal.config.ts`. Default: the package's own in `examples/`. */
  readonly exampleConfig?: string;
};

/**
 * Everything maedal was told, in one frozen value: defaults, then the configuration file, then the environment. In
 * `test` missing secrets are made and kept. Throws ConfigError with all problems at once; then nothing was written.
 */
export async function resolveConfig(options: ResolveOptions = {}): Promise<Config> {
  const { env = process.env, cwd = process.cwd(), exampleConfig = EXAMPLE } = options;
  const inspection = inspectEnvironment(env, cwd);
  const { environment } = inspection;
  const problems = [...inspection.problems, ...liveProblems(inspection, options.start)];
  const choice = chooseGateway(inspection, (options.start?.roles ?? null) !== null);
  const gateway = 'gateway' in choice ? choice.gateway : null;
  if ('problems' in choice) problems.push(...choice.problems);
  const setting = settingOf(environment, gateway);
  const file = await readFile(environment, { cwd, exampleConfig, setting }).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return null;
  });
  const fromFile = file === null ? null : settle(file.config, setting, problems);
  if (gateway?.runInside === true && environment.port === environment.sandboxPort) {
    problems.push(`MAEDAL_PORT and MAEDAL_SANDBOX_PORT are both ${environment.port}; change one`);
  }
  if (gateway === null || file === null || fromFile === null || problems.length > 0) throw new ConfigError(problems);
  const secrets = await secretsOf(environment);
  return freeze({ configFile: file.path, ...fromFile, ...fromEnvironment(environment), ...secrets, gateway });
}

/** Where the rows are. For commands that need nothing else of the configuration, such as `migrate`. */
export function databaseOf({ databaseUrl, dataDir }: Environment): DatabaseConfig {
  return databaseUrl === null ? { kind: 'embedded', dataDir } : { kind: 'url', url: databaseUrl };
}

/** Where the doorbell is. */
function queueOf({ redisUrl }: Environment): QueueConfig {
  return redisUrl === null ? { kind: 'postgres' } : { kind: 'redis', url: redisUrl };
}

type Place = { readonly cwd: string; readonly exampleConfig: string; readonly setting: Setting };

async function readFile(environment: Environment, { cwd, exampleConfig, setting }: Place) {
  const between = (config: FileConfig) => {
    const problems: string[] = [];
    settle(config, setting, problems);
    return problems;
  };
  const path = findConfigFile(environment.configFile, cwd, exampleConfig);
  if (environment.mode === 'live') refuseForeignWriters(path);
  return { path, config: parseFileConfig(await loadConfigFile(path), between) };
}

/** What the channels are held against; where no gateway could be chosen, the one that the mode means. */
function settingOf({ mode }: Environment, gateway: GatewayConfig | null): Setting {
  return { mode, gateway: gateway?.kind ?? (mode === 'live' ? 'portone' : 'sandbox') };
}

function settle(file: FileConfig, setting: Setting, problems: string[]) {
  const { schedule, timezone, chargeAt, catchUp, refundDuplicates, limits: given } = file;
  const channels = resolveChannels(file.channels, setting, problems);
  const policies = resolvePolicies(file, channels, { mode: setting.mode, problems });
  const maxAmount = given.maxAmount === null ? null : named(Object.entries(given.maxAmount));
  const limits = { ...given, maxAmount };
  if (setting.mode === 'live' && limits.leaseSeconds < LEASE_SECONDS) {
    problems.push(`limits.leaseSeconds is ${limits.leaseSeconds}: live needs at least ${LEASE_SECONDS}`);
  }
  const plans = resolvePlans(file.plans, { policies, limits }, problems);
  const rules = { channels, plans, policies, policyVersion: policyVersion(policies), limits };
  const declines = declineLines(file.declines);
  const hooks = resolveHooks(file.hooks, problems);
  const endpoints = resolveEvents(file.events, problems);
  const webhooks = resolveWebhooks(file.webhooks, setting.mode, problems);
  return { schedule, timezone, chargeAt, catchUp, refundDuplicates, declines, hooks, endpoints, webhooks, ...rules };
}

function declineLines(file: FileConfig['declines']): Config['declines'] {
  const entries = Object.entries(file).map(([company, { codes, texts }]) => {
    return [company, { codes: named(Object.entries(codes)), texts: named(Object.entries(texts)) }] as const;
  });
  return named(entries);
}

function fromEnvironment(environment: Environment) {
  const { mode, host, port, sandboxPort, dataDir, healthFile, logLevel, failpoints } = environment;
  const places = { database: databaseOf(environment), queue: queueOf(environment) };
  return { mode, ...places, http: { host, port }, sandboxPort, dataDir, healthFile, logLevel, failpoints };
}

async function secretsOf(environment: Environment): Promise<Pick<Config, 'secret' | 'login' | 'credentialsFile'>> {
  const { mode, secret, apiToken, operatorPassword, dataDir } = environment;
  const isWhole = secret !== null && apiToken !== null && operatorPassword !== null;
  if (secret !== null && (isWhole || mode === 'live')) {
    return { secret, login: isWhole ? { apiToken, operatorPassword } : null, credentialsFile: null };
  }
  const credentialsFile = join(dataDir, 'credentials');
  const kept = await keepCredentials(credentialsFile);
  return {
    secret: secret ?? kept.secret,
    login: { apiToken: apiToken ?? kept.apiToken, operatorPassword: operatorPassword ?? kept.operatorPassword },
    credentialsFile,
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

/** Charge protocol §2, step 3: the lease of an attempt that is not sent yet. */
const LEASE_SECONDS = 90;
const EXAMPLE = fileURLToPath(new URL('examples/maedal.config.ts', PACKAGE));
