import { expect, test } from '@jest/globals';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import { addSeed, emptyTally } from './tally.ts';

const SEEDS = 20_000;
/** Beside those of refunds and audits, which have no part in these worlds, and one that a revival beside a retry passes. */
const PASSED = FAILPOINTS.filter((name) => !/^(refund|audit)\.|^(charge\.in_flight|living\.withdrawn)$/.test(name));

test(`in ${SEEDS} worlds of faults nobody is charged twice, and nothing is lost`, async () => {
  const tally = emptyTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) await addSeed(tally, seed);
  expect(tally.failures.slice(0, 5)).toEqual([]); // `npm run test:model -- --seed N` tells the story of one
  // Where neither assumption holds there are doubles, and each of them was put up for refund or for a person.
  expect(tally.doubles).toBeGreaterThan(50);
  expect(PASSED.filter((name) => !tally.failpoints.has(name))).toEqual([]);
}, 600_000);
