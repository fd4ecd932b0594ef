import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { type ResolveOptions, resolveConfig } from '../../src/config/resolve.ts';
import { file, newDir } from './temporary.ts';

/** An environment that `live` takes; every secret in it begins with `canary`. */
export const LIVE = {
  MAEDAL_ENV: 'live',
  DATABASE_URL: 'postgres://maedal:canary-db@db/maedal',
  REDIS_URL: 'redis://:canary-redis@redis:6379',
  PORTONE_API_KEY: 'canary-key-1234',
  PORTONE_API_SECRET: 'canary-api-secret',
  MAEDAL_SECRET: 'canary-secret-0123456789-0123456789',
  MAEDAL_API_TOKEN: 'canary-token-0123456789',
  MAEDAL_OPERATOR_PASSWORD: 'canary-password-0123',
};
/** `start` without --roles. */
export const everything = { roles: null };

/** A working directory of its own with this configuration file. */
export function cwdWith(config: unknown): string {
  const cwd = newDir();
  file(cwd, 'maedal.config.ts', `export default ${JSON.stringify(config)}`);
  return cwd;
}

/** Resolves this environment with this configuration file. */
export function resolve(
  env: ResolveOptions['env'] & object,
  config: unknown = {},
  start?: ResolveOptions['start'],
): Promise<Config> {
  return resolveConfig({ env, cwd: cwdWith(config), ...(start === undefined ? {} : { start }) });
}

/** The problems of a configuration that is refused, a line each; nothing of one that is taken. */
export async function problemsOf(resolving: Promise<Config>): Promise<string> {
  try {
    await resolving;
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

/** A plan at this price. */
export function plan(amount: number | string) {
  return { name: '월 구독', amount, currency: 'KRW', interval: 'month' };
}
