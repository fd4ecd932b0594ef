import type { FaultClass } from '../world.ts';

/** The merchant's server answers its hooks and events late, wrongly, or not at all. */
export const merchant: FaultClass = {
  name: 'merchant',
  begin: async (world) => {
    world.merchant.isFaulty = true;
  },
  end: async (world) => {
    world.merchant.isFaulty = false;
  },
};
