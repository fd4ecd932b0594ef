import { expect, test } from '@jest/globals';
import { InputError } from '../src/billing/errors.ts';
import { FAILPOINTS, type Failpoint, parseFailpoints } from '../src/failpoints.ts';
import { repositoryFiles } from './support/repository.ts';

function points(text: string, seed = 1) {
  const fired: Failpoint[] = [];
  const waits: { ms: number; callback: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => (nowMs += 1),
    after: (ms: number, callback: () => void) => {
      waits.push({ ms, callback });
      return () => undefined;
    },
  };
  return { fired, waits, failpoints: parseFailpoints(text, { seed, clock, fired: (name) => fired.push(name) }) };
}

test('every failpoint is passed somewhere in the flows, by its name', () => {
  const sources = repositoryFiles().filter(({ path }) => /^src\/(worker|scheduler|inbound|notify)\//.test(path));
  const passed = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/\.at\('([a-z_.]+)'\)/g)].map(([, name]) => name)),
  );
  expect(FAILPOINTS.filter((name) => !passed.has(name))).toEqual([]);
  expect([...passed].filter((name) => !FAILPOINTS.some((known) => known === name))).toEqual([]);
});

test('only the named one acts, and says so first', async () => {
  const { fired, failpoints } = points('record.done=throw');
  await failpoints.at('record.unacknowledged');
  expect(fired).toEqual([]);
  await expect(failpoints.at('record.done')).rejects.toThrow('failpoint record.done');
  expect(fired).toEqual(['record.done']);
});

test('`any` stands for those that have no rule of their own', async () => {
  const { failpoints } = points('any=throw,job.taken=throw@0');
  await failpoints.at('job.taken');
  await expect(failpoints.at('ring.added')).rejects.toThrow('ring.added');
});

test('a delay waits as long as it says; a stall keeps the event loop busy', async () => {
  const delayed = points('charge.in_flight=delay:2000');
  const over = delayed.failpoints.at('charge.in_flight');
  expect(delayed.waits.map(({ ms }) => ms)).toEqual([2_000]);
  delayed.waits[0]?.callback();
  await over;
  const stalled = points('charge.in_flight=stall:50');
  await stalled.failpoints.at('charge.in_flight');
  expect(stalled.fired).toEqual(['charge.in_flight']);
});

test('chance follows from the seed alone, and from its rate', async () => {
  const firedOf = async (seed: number) => {
    const { fired, failpoints } = points('job.taken=stall:1@0.1', seed);
    const hits: number[] = [];
    for (let pass = 0; pass < 1_000; pass += 1) {
      await failpoints.at('job.taken');
      if (fired.length > hits.length) hits.push(pass);
    }
    return hits;
  };
  const hits = await firedOf(7);
  expect(await firedOf(7)).toEqual(hits);
  expect(await firedOf(8)).not.toEqual(hits);
  expect(hits.length).toBeGreaterThan(60);
  expect(hits.length).toBeLessThan(140);
});

test.each([
  ['record.don=kill', /record\.don=kill.*record\.done/],
  ['record.done=explode', /record\.done=explode/],
  ['record.done', /'record\.done' is no failpoint/],
  ['record.done=kill@2', /kill@2/],
  ['', /'' is no failpoint/],
])('%p is refused, and what is wrong is named', (text, message) => {
  expect(() => points(text)).toThrow(InputError);
  expect(() => points(text)).toThrow(message);
});
