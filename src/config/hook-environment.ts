import type { Env } from './settings.ts';

/** The environment of the merchant's functions: this process's, without what is maedal's own. */
export function environmentForHooks(env: Env = process.env): Record<string, string> {
  const theirs = Object.entries(env).filter(([name]) => !OURS.test(name));
  return Object.fromEntries(theirs.map(([name, value]) => [name, value ?? '']));
}

const OURS = /^(?:MAEDAL|PORTONE|IMP)_|^(?:DATABASE|REDIS)_URL(?:_FILE)?$|^PG(?:PASSWORD|PASSFILE|SERVICEFILE)$/;
