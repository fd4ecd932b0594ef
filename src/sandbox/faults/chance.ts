/**
 * Numbers that look random and follow from a seed alone: the same seed gives the same numbers in the same order, each
 * at least 0 and below 1 (mulberry32: 32 bits of state, good enough to choose faults, useless for secrets).
 */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
