import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createJiti } from 'jiti';

import { ConfigError } from './config-error.ts';
import { reasonOf } from './reason.ts';

/**
 * Which configuration file is meant: the one named, else `maedal.config.ts` in `cwd`, else `example`. Throws
 * ConfigError where the named file, or any at all, is missing.
 */
export function findConfigFile(named: string | null, cwd: string, example: string): string {
  const own = resolve(cwd, 'maedal.config.ts');
  if (named !== null) {
    if (existsSync(named)) return named;
    throw new ConfigError([`MAEDAL_CONFIG names ${named}, which is not there`]);
  }
  if (existsSync(own)) return own;
  if (existsSync(example)) return example;
  throw new ConfigError([`neither ${own} nor ${example} is there; write one, or name it with MAEDAL_CONFIG`]);
}

/**
 * Runs a configuration file, TypeScript or JavaScript, and answers its default export, unchecked. `maedal` resolves
 * to this package wherever the file lies. Throws ConfigError that names the file and the reason.
 */
export async function loadConfigFile(path: string): Promise<unknown> {
  // No cache: the disk may be read-only, and a stale file would be a wrong price.
  const quiet = { fsCache: false, moduleCache: false, interopDefault: false };
  const jiti = createJiti(path, { ...quiet, alias: { maedal: FRONT_DOOR } });
  let module: unknown;
  try {
    module = await jiti.import(path);
  } catch (error) {
    throw new ConfigError([`${path} cannot be loaded: ${reasonOf(error)}`]);
  }
  if (typeof module === 'object' && module !== null && 'default' in module) return module.default;
  throw new ConfigError([`${path} has no default export; write export default defineConfig({ … })`]);
}

/** A configuration file is a program: in `live`, nobody but its owner may change it. Throws ConfigError. */
export function refuseForeignWriters(path: string): void {
  if ((statSync(path).mode & 0o022) === 0) return;
  throw new ConfigError([`${path} can be changed by other users of this machine; run chmod go-w on it`]);
}

/** `src/index.ts`, or `dist/index.js` once built. */
const FRONT_DOOR = fileURLToPath(new URL(`../index${import.meta.url.slice(-3)}`, import.meta.url));
