import { expect, test } from '@jest/globals';
import { turn } from '../../src/clock.ts';
import { openInbox } from '../../src/inbound/inbox.ts';
import type { Hint } from '../../src/store/hints.ts';
import { handClock } from '../gateway/hand-clock.ts';

const hint = (merchantUid: string): Hint => ({ merchantUid, impUid: null, status: null, source: null, raw: '' });

/** An inbox over a store that answers when it is told to, what it was given at once, and who was answered. */
function inbox() {
  const clock = handClock();
  const batches: (readonly string[])[] = [];
  const answered: string[] = [];
  const storing: (() => void)[] = [];
  const keep = openInbox(async (hints) => {
    batches.push(hints.map(({ merchantUid }) => merchantUid ?? ''));
    await new Promise<void>((stored) => void storing.push(stored));
    return true;
  }, clock);
  return {
    batches,
    answered,
    say: (uid: string) => void keep(hint(uid)).then(() => answered.push(uid)),
    afterMs: async (ms: number) => {
      clock.advance(ms);
      await turn();
    },
    stored: async () => {
      storing.shift()?.();
      await turn();
    },
  };
}

test('hints that come within a fifth of a second are one statement, and answered once it is done', async () => {
  const { batches, answered, say, afterMs, stored } = inbox();
  say('one');
  await afterMs(100);
  say('two');
  await afterMs(100);
  expect(batches).toEqual([['one', 'two']]);
  expect(answered).toEqual([]);
  await stored();
  expect(answered).toEqual(['one', 'two']);
});

test('while a statement is on its way what comes waits for the next, and two hundred are the most of one', async () => {
  const { batches, answered, say, afterMs, stored } = inbox();
  say('first');
  await afterMs(200);
  for (let index = 0; index < 300; index += 1) say(`next-${index}`);
  await afterMs(200);
  expect(batches.map(({ length }) => length)).toEqual([1]);
  await stored();
  await afterMs(200);
  expect(batches.map(({ length }) => length)).toEqual([1, 200]);
  await stored();
  expect(answered).toHaveLength(201);
  await afterMs(200);
  await stored();
  expect(batches.map(({ length }) => length)).toEqual([1, 200, 100]);
  expect(answered).toHaveLength(301);
});
