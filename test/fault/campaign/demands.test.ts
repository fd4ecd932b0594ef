import { expect, test } from '@jest/globals';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import { type Met, rareIn, shortcomings } from './demands.ts';
import { type Plan, parseOptions } from './options.ts';

const every = (times: number) => Object.fromEntries(FAILPOINTS.map((name) => [name, times]));

const planOf = (...args: string[]): Plan => {
  const [plan] = parseOptions(args).plans;
  if (plan === undefined) throw new Error('no plan');
  return plan;
};

function run(fields: Partial<Met> = {}): Met {
  const faults = { process: { kill: 60 }, failpoints: every(2) };
  return {
    command: 'a run',
    plan: planOf(),
    charges: 3_000,
    isWhole: true,
    ambiguous: 600,
    doubles: 0,
    faults,
    ...fields,
  };
}

test('two large runs that met with enough, and with every failpoint three times between them, fall short of nothing', () => {
  expect(shortcomings([run(), run()])).toEqual([]);
});

test.each([
  [
    'few faults at processes',
    { faults: { process: { kill: 59 }, failpoints: every(2) } },
    'only 59 faults at processes',
  ],
  ['few unknown outcomes', { ambiguous: 599 }, 'only 599 outcomes were unknown for a while'],
])('a large run with %s falls short', (_, fields, said) => {
  expect(shortcomings([run(fields), run()])).toEqual([`a run: ${said}`]);
});

test('a large run whose gateway may capture twice falls short where it never did', () => {
  const plan = planOf('--duplicates', 'accept', '--late', '4');
  expect(shortcomings([run({ plan }), run()])).toEqual([
    'a run: nothing was captured twice, to be found and given back',
  ]);
  expect(shortcomings([run({ plan, doubles: 1 }), run()])).toEqual([]);
});

test('a failpoint that fired twice in both together is rare, until a small run of failpoints makes up for it', () => {
  const once = { ...every(3), 'tick.begun': 1 };
  const runs = [
    run({ faults: { process: { kill: 60 }, failpoints: once } }),
    run({ faults: { process: { kill: 60 }, failpoints: once } }),
  ];
  expect(rareIn(runs)).toEqual(['tick.begun']);
  expect(shortcomings(runs)).toEqual(['tick.begun fired 2 times, 3 are needed']);
  expect(rareIn([...runs, run({ charges: 300, isWhole: false })])).toEqual([]);
});

test('what surrounds an answer of the merchant is asked for where he is asked and told', () => {
  const telling = ['delivery.leased', 'function.called', 'delivery.answered', 'delivery.recorded'];
  const surroundings = ['hook.answered', 'hook.kept', ...telling];
  const unhooked = Object.fromEntries(Object.entries(every(3)).filter(([name]) => !surroundings.includes(name)));
  const met = { faults: { process: { kill: 60 }, failpoints: unhooked } };
  expect(rareIn([run(met), run(met)])).toEqual([]);
  const plan = { ...planOf(), classes: [...planOf().classes, 'merchant' as const] };
  expect(rareIn([run(met), run({ ...met, plan })])).toEqual(surroundings);
});

test('small runs and chosen classes need not meet with anything', () => {
  const little = { faults: {}, ambiguous: 0 };
  expect(shortcomings([run({ ...little, charges: 300 }), run({ ...little, isWhole: false })])).toEqual([]);
});
