import { expect, test } from '@jest/globals';
import { turn } from '../../src/clock.ts';
import { Activity } from '../../src/simulate/activity.ts';
import { VirtualClock } from '../../src/simulate/virtual-clock.ts';

test('timers fire one by one, in the order in which they are due, and only when they are', () => {
  const clock = new VirtualClock(1_000);
  const fired: string[] = [];
  clock.after(20, () => fired.push('late'));
  clock.after(10, () => fired.push('early'));
  clock.after(10, () => fired.push('beside it'));
  const cancel = clock.after(15, () => fired.push('taken back'));
  expect(clock.fireOne()).toBe(false);
  expect(clock.nextMs()).toBe(1_010);
  clock.moveTo(1_020);
  cancel();
  expect([clock.fireOne(), ...fired]).toEqual([true, 'early']);
  while (clock.fireOne());
  expect(fired).toEqual(['early', 'beside it', 'late']);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_020, 20]);
});

test('time never runs backwards', () => {
  expect(() => new VirtualClock(1_000).moveTo(999)).toThrow(RangeError);
});

test('while a statement is under way nothing is quiet', async () => {
  const { activity, isQuiet } = watched();
  let answer: () => void = () => undefined;
  const statement = activity.during(new Promise<void>((resolve) => (answer = resolve)));
  expect(await isQuiet()).toBe(false);
  answer();
  await statement;
  expect(await isQuiet()).toBe(true);
});

test('a call is under way until its limit is taken back, except while the sandbox holds it', async () => {
  const { activity, clock, isQuiet } = watched();
  const answered = activity.callsOn(clock).after(100, () => undefined);
  expect(await isQuiet()).toBe(false);
  activity.held(1);
  expect(await isQuiet()).toBe(true);
  activity.held(-1);
  answered();
  expect(activity.hasCalls).toBe(false);
});

test('a call that was given up keeps the quiet away until the sandbox has noticed, whatever is called meanwhile', async () => {
  const { activity, clock, isQuiet } = watched();
  const calls = activity.callsOn(clock);
  calls.after(100, () => undefined);
  activity.held(1);
  clock.moveTo(clock.nextMs());
  clock.fireOne();
  expect(await isQuiet()).toBe(false);
  const answered = calls.after(100, () => undefined); // as many calls as held ones, and yet one is under way
  expect(await isQuiet()).toBe(false);
  activity.held(-1);
  expect(await isQuiet()).toBe(false);
  answered();
  expect(await isQuiet()).toBe(true);
});

/** `isQuiet` tells whether it was quiet by the time at which everything that is ready had run, three times over. */
function watched() {
  const [activity, clock] = [new Activity(), new VirtualClock(0)];
  const isQuiet = async () => {
    let quiet = false;
    void activity.quiet().then(() => {
      quiet = true;
    });
    for (let turns = 0; turns < 3; turns += 1) await turn();
    return quiet;
  };
  return { activity, clock, isQuiet };
}
