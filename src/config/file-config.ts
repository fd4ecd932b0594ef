import { inspect } from 'node:util';

import { z } from 'zod';
import { didYouMean } from '../nearest-name.ts';
import { ConfigError } from './config-error.ts';
import { reasonOf } from './reason.ts';
import { salvage } from './salvage.ts';
import { type FileConfig, fileSchema } from './schema.ts';

/** Finds what is wrong between the settings of a configuration that are right by themselves. */
export type RulesBetween = (config: FileConfig) => readonly string[];

/**
 * Validates what a configuration file exported. Throws ConfigError with every problem and its path: where a setting is
 * wrong, those of the rules between the others as well. Of a configuration that is right those are left to the caller.
 */
export function parseFileConfig(raw: unknown, between: RulesBetween = () => []): FileConfig {
  const result = read(raw, between);
  if ('config' in result) return result.config;
  throw new ConfigError(result.problems);
}

function read(raw: unknown, between: RulesBetween): { config: FileConfig } | { problems: string[] } {
  try {
    const kind = Object.prototype.toString.call(raw).slice(8, -1);
    // To a schema, a promise or a map is an object without keys: the defaults, which nobody asked for.
    if (typeof raw === 'object' && !['Object', 'Array', 'Null'].includes(kind)) {
      return { problems: [`the configuration is a ${kind}: write an object`] };
    }
    const result = fileSchema.safeParse(raw);
    if (result.success) return { config: result.data };
    return { problems: [...result.error.issues.flatMap((issue) => problemsOf(issue, raw)), ...besides(raw, between)] };
  } catch (error) {
    // A getter or a proxy of the file's own threw.
    return { problems: [`the configuration cannot be read: ${reasonOf(error)}`] };
  }
}

/** What is wrong between the settings that are right; not what may follow from one that is not, in the same entry of a section. */
function besides(raw: unknown, between: RulesBetween): string[] {
  const remains = salvage(fileSchema, raw);
  if (remains === null) return [];
  const unsure = remains.removed.flatMap(([section = '', ...rest]) =>
    rest.length > 0 ? [nameOf([section, ...rest.slice(0, 1)])] : [section, ...(RESTING_ON[section] ?? [])],
  );
  return between(remains.config).filter((problem) =>
    unsure.every((name) => !problem.startsWith(`${name}.`) && !problem.startsWith(`${name} `)),
  );
}

/** Sections whose rules look at another one. */
const RESTING_ON: Readonly<Record<string, readonly string[]>> = {
  channels: ['dunning'],
  dunning: ['plans'],
  limits: ['plans'],
};

function problemsOf(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(fileSchema, path);
    return issue.keys.map((key) => `${nameOf([...path, key])} is not a setting${didYouMean(key, known)}`);
  }
  const value = valueAt(raw, path);
  const subject = nameOf(path);
  if (issue.code === 'invalid_key') return [`${subject}: ${issue.issues[0]?.message ?? issue.message}`];
  if (value === undefined) return [`${subject} is missing${issue.code === 'custom' ? `: ${issue.message}` : ''}`];
  // What is wrong with a list itself is seen in it; a list where something else belongs is not.
  const isListWrong = issue.code === 'custom' && Array.isArray(value) && value.every(isPlain);
  const isSecret = path.some((key) => key === 'secret' || key === 'url');
  const told = isSecret ? 'not shown' : isListWrong ? cut(JSON.stringify(value)) : shown(value);
  return [`${subject} is ${told}: ${remedyOf(issue, value)}`];
}

function remedyOf(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `write ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `write at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `write at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `use one of ${issue.values.join(', ')}${didYouMean(String(shown(value)), issue.values.map(String))}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  return { string: ' characters', array: ' entries' }[origin] ?? '';
}

/** The keys that an object at this path may have. */
function keysAt(schema: unknown, path: readonly string[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodLazy) return keysAt(schema.unwrap(), path);
  const [head, ...rest] = path;
  if (schema instanceof z.ZodArray) return head === undefined ? [] : keysAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return head === undefined ? [] : keysAt(schema.valueType, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  return head === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[head], rest);
}

function valueAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce((at: unknown, key) => (Object.hasOwn(Object(at), key) ? Object(at)[key] : undefined), raw);
}

/** `channels.nice.timeoutSeconds`, `channels["a b"]`. */
function nameOf(path: readonly string[]): string {
  if (path.length === 0) return 'the configuration';
  return path
    .map((key, index) =>
      /^[\p{L}\p{N}_-]{1,64}$/u.test(key) ? `${index === 0 ? '' : '.'}${key}` : `[${cut(JSON.stringify(key))}]`,
    )
    .join('');
}

function shown(value: unknown): string {
  if (typeof value === 'string') return cut(`'${value}'`);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return cut(inspect(value));
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};
