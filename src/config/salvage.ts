import type { z } from 'zod';

/** Where a value lies in a configuration, key by key. */
type Path = readonly string[];

/** What is left of a configuration without the values that are wrong, and where those were. */
type Remains<Read> = { readonly config: Read; readonly removed: readonly Path[] };

/**
 * Takes out of a configuration what its schema refuses, so that the rest can be held against the rules between settings,
 * and all that is wrong is told at once. An entry keeps its name as long as it can. Null where nothing is left to read.
 */
export function salvage<Read>(schema: z.ZodType<Read>, raw: unknown): Remains<Read> | null {
  const removed: Path[] = [];
  let rest = raw;
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = schema.safeParse(rest);
    if (result.success) return { config: result.data, removed };
    for (const path of result.error.issues.flatMap(wrongIn)) {
      const at = placeOf(path, rest);
      if (at === null) continue;
      removed.push(at);
      rest = without(rest, at);
    }
  }
  return null;
}

function wrongIn(issue: z.core.$ZodIssue): Path[] {
  const path = issue.path.map(String);
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/** What is to be taken out: a list whole, for places in it are told by number; the owner of what is missing. */
function placeOf(path: Path, from: unknown): Path | null {
  let value = from;
  for (const [depth, key] of path.entries()) {
    if (Array.isArray(value)) return path.slice(0, depth);
    if (!isObject(value)) return null; // gone already
    if (!Object.hasOwn(value, key)) return depth === path.length - 1 ? path.slice(0, depth) : null;
    value = value[key];
  }
  return path;
}

/** Emptied first, and taken away where that does not help. */
function without(from: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined || !isObject(from)) return EMPTY;
  const kept = Object.entries(from).filter(([name]) => name !== key);
  if (rest.length === 0 && from[key] === EMPTY) return Object.fromEntries(kept);
  return Object.fromEntries([...kept, [key, without(from[key], rest)]]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

const EMPTY = {};
const ROUNDS = 20;
