import { expect, test } from '@jest/globals';
import { oneAtATime } from '../../src/operator/one-at-a-time.ts';

test('what comes side by side is done one after another, in its order, and a failure is its own alone', async () => {
  const inTurn = oneAtATime();
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await Promise.resolve();
    events.push(`${name} ends`);
    if (name === 'b') throw new Error('b failed');
    return name;
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => inTurn(work(name))));
  expect(results).toMatchObject([{ value: 'a' }, { reason: new Error('b failed') }, { value: 'c' }]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
