import type { Config } from './config.ts';
import { resolveConfig } from './resolve.ts';
import type { Env } from './settings.ts';

export type SimulatedOptions = {
  /** The configuration file; null for the one that other commands use. */
  readonly file: string | null;
  /** Default: this process's. */
  readonly env?: Env;
  readonly cwd?: string;
};

/**
 * What a simulation is told: the rules of the configuration file, and nothing of the environment that names a place or
 * a key. Writes no file. Throws ConfigError.
 */
export async function resolveSimulated({ file, env = process.env, cwd }: SimulatedOptions): Promise<Config> {
  const heard = Object.fromEntries(HEARD.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const named = file === null ? {} : { MAEDAL_CONFIG: file };
  const secret = 'MAEDAL_SECRET' in heard || 'MAEDAL_SECRET_FILE' in heard ? {} : { MAEDAL_SECRET: STAND_IN };
  const login = { MAEDAL_API_TOKEN: STAND_IN, MAEDAL_OPERATOR_PASSWORD: STAND_IN };
  return resolveConfig({ env: { LOG_LEVEL: 'warn', ...heard, ...named, ...secret, ...login }, ...(cwd && { cwd }) });
}

/** The secret only names the charges: with the installation's own, they bear the ids that they will have. */
const HEARD = ['MAEDAL_CONFIG', 'MAEDAL_SECRET', 'MAEDAL_SECRET_FILE', 'LOG_LEVEL'];
const STAND_IN = 'a secret that opens nothing but a simulation';
