import { readFileSync } from 'node:fs';

import { didYouMean } from '../nearest-name.ts';
import { codeOf, reasonOf } from './reason.ts';
import { Secret } from './secret.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** An environment while it is read: the problems found and the names asked for so far. */
export type Settings = { readonly env: Env; readonly problems: string[]; readonly known: Set<string> };

/** How a setting's text is read, null to refuse it, and what to do about a refusal. */
export type Rule<T> = { readonly parse: (text: string) => T | null; readonly remedy: string };

/** The setting as its rule reads it, or `fallback` where it is unset, empty or refused. */
export function readSetting<T>(settings: Settings, name: string, fallback: T, rule: Rule<T>): T {
  settings.known.add(name);
  const text = textOf(settings, name);
  if (text === null || isInjected(name, text)) return fallback;
  const value = rule.parse(text);
  if (value === null) settings.problems.push(`${name} is '${text.slice(0, 80)}'; ${rule.remedy}`);
  return value ?? fallback;
}

/** A secret from `NAME`, or from the file that `NAME_FILE` names. `faultOf` tells why it is refused, without quoting it. */
export function readSecret(
  settings: Settings,
  name: string,
  faultOf: (text: string) => string | null = () => null,
): Secret | null {
  settings.known.add(name).add(`${name}_FILE`);
  const text = secretText(settings, name);
  if (text === null) return null;
  const fault = text === '' ? 'is empty' : text.trim() === text ? faultOf(text) : 'begins or ends with white space';
  if (fault === null) return new Secret(text);
  settings.problems.push(`${textOf(settings, name) === null ? `the file that ${name}_FILE names` : name} ${fault}`);
  return null;
}

/** Refuses every `MAEDAL_…` that nobody asked for: a misspelt setting must not silently be the default. */
export function refuseUnknown({ env, problems, known }: Settings): void {
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('MAEDAL_') || known.has(name) || isInjected(name, text ?? '')) continue;
    problems.push(`${name} is not a setting${didYouMean(name, known) || '; remove it'}`);
  }
}

/** Whether somebody tried to set it, rightly or not. */
export function isSet(settings: Settings, name: string): boolean {
  return textOf(settings, name) !== null || textOf(settings, `${name}_FILE`) !== null;
}

function secretText(settings: Settings, name: string): string | null {
  const [text, path] = [textOf(settings, name), textOf(settings, `${name}_FILE`)];
  if (path === null) return text;
  if (text !== null) {
    settings.problems.push(`${name} and ${name}_FILE are both set; keep one`);
    return null;
  }
  try {
    return readFileSync(path, 'utf8').replace(/(?:\r?\n)+$/, '');
  } catch (error) {
    settings.problems.push(`${name}_FILE names ${path}, which cannot be read: ${codeOf(error) ?? reasonOf(error)}`);
    return null;
  }
}

/** An empty variable counts as unset: `${NAME:-}` in a compose file writes one. */
function textOf({ env }: Settings, name: string): string | null {
  return env[name] === undefined || env[name] === '' ? null : env[name];
}

/**
 * Kubernetes tells every container of the services beside it: one named `maedal` becomes MAEDAL_SERVICE_HOST,
 * MAEDAL_SERVICE_PORT[_NAME], MAEDAL_PORT=tcp://10.0.0.1:3000 and MAEDAL_PORT_3000_TCP[_ADDR|_PORT|_PROTO], and one
 * named `maedal-console` the same with MAEDAL_CONSOLE (kubernetes.io, "Service", environment variables).
 */
function isInjected(name: string, text: string): boolean {
  if (/^MAEDAL(?:_[A-Z0-9_]+)?_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/^MAEDAL(?:_[A-Z0-9_]+)?_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\/[\w.:[\]-]+$/.test(text);
}
