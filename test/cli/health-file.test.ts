import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keepHealthFile } from '../../src/cli/health-file.ts';
import { systemClock } from '../../src/clock.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maedal-health-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A clock whose one timer is rung by hand; `ring` resolves when the next one is set. */
function handClock() {
  let ring = () => {};
  let set = () => {};
  const after = (_ms: number, callback: () => void) => {
    ring = callback;
    set();
    return () => undefined;
  };
  const next = () =>
    new Promise<void>((resolve) => {
      set = resolve;
      ring();
    });
  return { clock: { ...systemClock, after }, next };
}

test('the file is there while the process can work, and at no other time', async () => {
  const file = join(directory, 'healthy');
  const { clock, next } = handClock();
  let answer: () => Promise<boolean> = async () => true;
  const reported: string[] = [];
  const report = ({ kind }: { kind: string }) => void reported.push(kind);
  const health = await keepHealthFile({ file, clock, report, isHealthy: () => answer() });
  expect(existsSync(file)).toBe(true);
  answer = async () => false;
  await next();
  expect(existsSync(file)).toBe(false);
  answer = async () => true;
  await next();
  expect(existsSync(file)).toBe(true);
  answer = () => Promise.reject(new Error('nobody knows'));
  await next();
  expect(reported).toEqual(['work.failed']);
  await health.close();
  expect(existsSync(file)).toBe(false);
});

test('where no file is named, none is kept', async () => {
  const isHealthy = () => Promise.reject(new Error('nobody asks'));
  const health = await keepHealthFile({ file: null, clock: systemClock, report: () => undefined, isHealthy });
  await health.close();
});
