import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from './options.ts';
import type { Tally } from './tally.ts';

/** How far a run has come; written so that one that was cut off goes on with what is left. */
export type Saved = {
  readonly plan: Plan;
  /** Phases that are over. */
  readonly phases: number;
  readonly tally: ReturnType<Tally['toJSON']>;
  /** Wall time spent so far. */
  readonly spentMs: number;
};

/** What an earlier run left in its directory. Throws where there is none. */
export async function loadSaved(directory: string): Promise<Saved> {
  return JSON.parse(await readFile(join(directory, FILE), 'utf8'));
}

export async function save(directory: string, saved: Omit<Saved, 'tally'> & { readonly tally: Tally }): Promise<void> {
  const path = join(directory, FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(saved, null, 1)}\n`);
  await rename(`${path}.new`, path);
}

const FILE = 'campaign.json';
