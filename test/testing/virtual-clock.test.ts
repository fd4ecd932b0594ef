import { expect, test } from '@jest/globals';
import { virtualClock } from '../../src/testing.ts';

test.each(['2027-01-31', '2027-01-31T10:00:00', 'today'])('no clock begins at %s', (start) => {
  expect(() => virtualClock(start)).toThrow('is not an instant');
});

test('a virtual clock lets things happen in their order, each at its own instant', () => {
  const clock = virtualClock();
  const heard: string[] = [];
  clock.after(2_000, () => heard.push(clock.now()));
  clock.after(1_000, () => clock.after(500, () => heard.push(clock.now())));
  clock.advance(2_000);
  expect(heard).toEqual(['2027-01-31T01:00:01.500Z', '2027-01-31T01:00:02.000Z']);
});
