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
  return { world, brake: unknownShareBrake({ store, clock, maxUnknownShare: 0.2 }) };
}

test('up to a fifth of the last 50 sends without an answer, charges leave', async () => {
  const { brake } = braked(50, 10);
  expect(await brake.check('default')).toEqual({ kind: 'clear' });
});

test('above it one probe leaves a minute, and the others wait', async () => {
  const { world, brake } = braked(50, 11);
  expect((await brake.check('default')).kind).toBe('clear'); // the probe
  expect(await brake.check('default')).toMatchObject({ kind: 'braked', reason: /11 of the last 50/ });
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
  expect(await brake.check('default')).toEqual({ kind: 'clear' });
});

test('the database is asked once a second, however many charges ask', async () => {
  const { world, brake } = braked(50, 0);
  await Promise.all(Array.from({ length: 10 }, () => brake.check('default')));
  for (let times = 0; times < 100; times += 1) await brake.check('default');
  expect(world.asked).toBeLessThanOrEqual(10);
});

test('once the gateway refused our keys, one charge a minute finds out, until an answer says otherwise', async () => {
  const { world, brake } = braked(0, 0);
  brake.stop('PortOne refused the key pair');
  expect(await brake.check('default')).toEqual({ kind: 'braked', reason: 'PortOne refused the key pair' });
  world.nowMs = 60_000;
  const asked = await Promise.all(Array.from({ length: 50 }, () => brake.check('nice')));
  expect(asked.filter(({ kind }) => kind === 'clear')).toHaveLength(1);
  brake.lift('nice');
  expect(await brake.check('default')).toEqual({ kind: 'clear' });
});

test('what one channel is refused for stops no other', async () => {
  const { world, brake } = braked(0, 0);
  brake.stop('이용정지 가맹점', 'nice');
  expect((await brake.check('default')).kind).toBe('clear');
  expect(await brake.check('nice')).toEqual({ kind: 'braked', reason: '이용정지 가맹점' });
  brake.lift('default'); // an answer to another channel says nothing of it
  expect((await brake.check('nice')).kind).toBe('braked');
  world.nowMs = 60_000;
  expect([(await brake.check('nice')).kind, (await brake.check('nice')).kind]).toEqual(['clear', 'braked']);
});
