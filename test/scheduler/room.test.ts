import { expect, test } from '@jest/globals';
import type { BillingEvent } from '../../src/events.ts';
import { MAX_WAITING, roomInQueue } from '../../src/scheduler/room.ts';
import { handClock } from '../gateway/hand-clock.ts';

function queueOf(waiting: number) {
  const clock = handClock();
  const events: BillingEvent[] = [];
  const queue = { waiting };
  const room = roomInQueue({ waiting: async () => queue.waiting, clock, report: (event) => void events.push(event) });
  return { clock, queue, room, events };
}

test('there is room up to the bound, and none beyond', async () => {
  const { queue, room } = queueOf(0);
  expect(await room()).toBe(MAX_WAITING);
  queue.waiting = MAX_WAITING - 3;
  expect(await room()).toBe(3);
  for (queue.waiting of [MAX_WAITING, MAX_WAITING + 1]) expect(await room()).toBe(0);
});

test('a queue that stays full is told of once each time, and tried with a batch every quarter of an hour', async () => {
  const { clock, queue, room, events } = queueOf(MAX_WAITING);
  const rooms: number[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    rooms.push(await room());
    clock.advance(60_000);
  }
  expect(rooms.flatMap((count, minute) => (count > 0 ? [[minute, count]] : []))).toEqual([
    [15, 500],
    [30, 500],
    [45, 500],
  ]);
  expect(events).toEqual([{ kind: 'queue.full', waiting: MAX_WAITING }]);
  queue.waiting = 0;
  await room();
  queue.waiting = MAX_WAITING;
  await room();
  expect(events).toHaveLength(2);
});

test('a queue that cannot be asked is no empty queue', async () => {
  const away = { waiting: () => Promise.reject(new Error('away')), clock: handClock(), report: () => undefined };
  await expect(roomInQueue(away)()).rejects.toThrow('away');
});
