import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../support/repository.ts';

/** Where webhooks go, how many, and the payments that every second one of them names in turn. */
export type Flood = { readonly url: string; readonly count: number; readonly merchantUids: readonly string[] };

/** How a flood was taken. `cpuSeconds` is what sending it took of this machine's processors. */
export type Burst = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly answers: readonly (readonly [status: number, count: number])[];
};

/** Has a process of its own send a flood, so that what the sending costs is told apart. */
export async function forge(flood: Flood): Promise<Burst> {
  const sender = fork(SENDER);
  sender.send(flood);
  const [burst] = await Promise.race([once(sender, 'message'), once(sender, 'exit').then(failed)]);
  return burst;
}

function failed(): never {
  throw new Error('the sender of the flood ended before the flood did');
}

const SENDER = join(ROOT, 'build', 'test', 'bench', 'flood-sender.js');
