import { expect, test } from '@jest/globals';
import { type Plan, parseOptions } from './options.ts';
import { phasesOf } from './phases.ts';

const planOf = (...args: string[]): Plan => {
  const [plan] = parseOptions(args).plans;
  if (plan === undefined) throw new Error('no plan');
  return plan;
};

test.each(['10', '300', '3000', '10000', '30000'])('of %s subscriptions each falls due in one phase', (charges) => {
  const phases = phasesOf(planOf('--charges', charges));
  const numbers = phases.flatMap(({ from, until }) => Array.from({ length: until - from }, (_, index) => from + index));
  expect(numbers).toEqual(Array.from({ length: Number(charges) }, (_, index) => index));
});

test.each(['1000', '3000', '10000', '30000'])(
  'of %s subscriptions those that all classes strike come in like batches',
  (charges) => {
    const sizes = phasesOf(planOf('--charges', charges))
      .filter(({ name }) => name === 'all together')
      .map(({ from, until }) => until - from);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  },
);

test('one class alone has all of the charges, and each of several has its stretch before all strike', () => {
  expect(phasesOf(planOf('--charges', '300', '--classes', 'wire')).map(({ name }) => name)).not.toContain('wire alone');
  expect(phasesOf(planOf('--charges', '300', '--classes', 'wire,kill')).map(({ name }) => name)).toEqual([
    'wire alone',
    'kill alone',
    'all together',
  ]);
});
