import type { FaultClass } from '../world.ts';

/** SIGSTOP, and later SIGCONT: mostly for a moment, now and then for longer than a lease. */
export const pauses: FaultClass = {
  name: 'pause',
  strike: async ({ fleet, chance, tally, plan }) => {
    const living = fleet.working('worker', 'scheduler', 'console');
    if (living.length === 0) return;
    const slot = chance.pick(living);
    // Where the gateway refuses nothing, a pause between guard and call must end within the horizon.
    const longest = plan.duplicates === 'accept' ? 2_000 : 9_000;
    const ms = chance.happens(0.1) ? chance.between(longest / 2, longest) : chance.between(200, 1_500);
    tally.add('process', `pause ${slot.role}`);
    await fleet.pauseFor(slot, ms);
  },
};
