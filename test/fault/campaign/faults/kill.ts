import { pause, systemClock } from '../../../../src/clock.ts';
import type { Slot } from '../fleet.ts';
import type { FaultClass, World } from '../world.ts';

/**
 * SIGKILL, at least one in four at a process that holds an intent without an answer: more are aimed, since not all find one.
 * Now and then an impatient deploy.
 */
export const kill: FaultClass = {
  name: 'kill',
  strike: async (world) => {
    const { fleet, chance, tally } = world;
    if (chance.happens(0.4)) {
      const holder = await holderOfSend(world);
      if (holder === null) return tally.add('misses', 'nobody held a send');
      fleet.signal(holder, 'SIGKILL');
      return tally.add('process', `kill ${holder.role} that holds a send`);
    }
    const role = chance.weighed([
      ['worker', 5],
      ['scheduler', 4],
      ['console', 1],
    ] as const);
    const living = fleet.working(role);
    if (living.length === 0) return;
    const slot = chance.pick(living);
    if (chance.happens(0.15)) {
      tally.add('process', `deploy ${role}`);
      return fleet.deploy(slot);
    }
    fleet.signal(slot, 'SIGKILL');
    tally.add('process', `kill ${role}`);
  },
};

/** A process that has sent and not recorded yet, looked for until one is seen, but not for long. */
async function holderOfSend({ postgres, fleet }: World): Promise<Slot | null> {
  for (let look = 0; look < LOOKS; look += 1) {
    const rows = await postgres.query<{ who: string }>(HOLDERS);
    const slot = fleet.living('worker').find(({ who }) => rows.some((row) => row.who === who));
    if (slot !== undefined) return slot;
    await pause(systemClock, LOOK_AGAIN_MS);
  }
  return null;
}

const HOLDERS = `
  SELECT DISTINCT last.who FROM attempt CROSS JOIN LATERAL
         (SELECT who FROM history WHERE entity_id = attempt.id AND to_state = 'sent' ORDER BY id DESC LIMIT 1) last
   WHERE attempt.state = 'sent'`;
const LOOKS = 20;
const LOOK_AGAIN_MS = 20;
