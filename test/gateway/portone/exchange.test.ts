import { expect, test } from '@jest/globals';
import type { Dispatcher } from 'undici';
import { RunningExchange } from '../../../src/gateway/portone/exchange.ts';

const refused = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });

function controller(): Dispatcher.DispatchController & { aborts: number } {
  const made = {
    aborts: 0,
    aborted: false,
    paused: false,
    reason: null,
    abort: () => {
      made.aborts += 1;
    },
    pause: () => {},
    resume: () => {},
  };
  return made;
}

test('a connect that failed before anything was written is not sent', async () => {
  const error = refused();
  const running = new RunningExchange(new WeakSet([error]));
  running.onResponseError(null, error);
  expect((await running.outcome).kind).toBe('not-sent');
});

test('the same error is lost once writing has begun', async () => {
  const error = refused();
  const running = new RunningExchange(new WeakSet([error]));
  running.onRequestStart(controller());
  running.onResponseError(null, error);
  expect((await running.outcome).kind).toBe('lost');
});

test('the same error is lost when it did not come from connecting', async () => {
  const running = new RunningExchange(new WeakSet());
  running.onResponseError(null, refused());
  expect((await running.outcome).kind).toBe('lost');
});

test('a connect that failed in a way that does not count is lost', async () => {
  const error = Object.assign(new Error('unreachable'), { code: 'ENETUNREACH', syscall: 'connect' });
  const running = new RunningExchange(new WeakSet([error]));
  running.onResponseError(null, error);
  expect((await running.outcome).kind).toBe('lost');
});

test('a second start, which would be a second send, is stopped', async () => {
  const running = new RunningExchange(new WeakSet());
  const again = controller();
  running.onRequestStart(controller());
  running.onRequestStart(again);
  expect(again.aborts).toBe(1);
  expect(await running.outcome).toMatchObject({ kind: 'lost', timedOut: false });
});

test('the first ending stands', async () => {
  const running = new RunningExchange(new WeakSet());
  running.onRequestStart(controller());
  running.onResponseStart(null, 200, {});
  running.onResponseEnd();
  running.onResponseError(null, refused());
  expect(await running.outcome).toMatchObject({ kind: 'answer', status: 200 });
});
