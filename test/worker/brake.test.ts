import { expect, test } from '@jest/globals';
import { unknownShareBrake } from '../../src/worker/brake.ts';

function braked(sends: number, unknown: number) {
  const world = { sends, unknown, nowMs: 0, asked: 0 };
  const store = {
    recentSends: async (count: number) => {
      world.asked += 1;
      return { sends: Math.min(world.sends, count), unknown: world.unknown };
    },
  };
  const clock = { nowMs: () => world.nowMs, monotonicMs: () => world.nowMs, after: () => () => undefined };
  const stops = {
    stop: async () => undefined,
    rest: async () => undefined,
    lift: async () => undefined,
    standingAgainst: async () => null,
    watch: () => () => null,
  };
  return { world, brake: unknownShareBrake({ store, stops, clock, maxUnknownShare: 0.2 }) };
}

test('up to a fifth of the last 50 sends without an answer, charges leave', async () => {
  const { brake } = braked(50, 10);
  expect(await brake.check('default')).toMatchObject({ kind: 'clear' });
});

test('above it one probe leaves a minute, and the others wait', async () => {
  const { world, brake } = braked(50, 11);
  expect((await brake.check('default')).kind).toBe('clear'); // the probe
  expect(await brake.check('default')).toMatchObject({
    kind: 'braked',
    reason: expect.stringMatching(/11 of the last 50/),
  });
  world.nowMs = 59_999;
  expect((await brake.check('default')).kind).toBe('braked');
  world.nowMs = 60_000;
  expect((await brake.check('default')).kind).toBe('clear');
});

test('it lets go by itself once the look-ups found their answers', async () => {
  const { world, brake } = braked(50, 11);
  await brake.check('default');
  expect((await brake.check('default')).kind).toBe('braked');
  world.unknown = 3;
  world.nowMs = 1_000;
  expect((await brake.check('default')).kind).toBe('clear');
  expect((await brake.check('default')).kind).toBe('clear');
});

test('fewer than 50 sends say nothing yet', async () => {
  const { brake } = braked(49, 49);
  expect(await brake.check('default')).toMatchObject({ kind: 'clear' });
});

test('the database is asked once a second, however many charges ask', async () => {
  const { world, brake } = braked(50, 0);
  await Promise.all(Array.from({ length: 10 }, () => brake.check('default')));
  for (let times = 0; times < 100; times += 1) await brake.check('default');
  expect(world.asked).toBeLessThanOrEqual(10);
});
