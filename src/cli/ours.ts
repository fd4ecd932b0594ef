import type { App } from '../app.ts';
import { FenceError } from '../billing/errors.ts';
import { readFence } from '../store/fence.ts';

/** Throws FenceError where the database belongs to another installation: then nothing of ours is written into it. */
export async function demandOurs({ db, identity }: App): Promise<void> {
  const fence = await readFence(db, identity);
  if (fence.kind === 'foreign') throw new FenceError(`${fence.reason}; this process reads only`, 'see `maedal adopt`');
}
