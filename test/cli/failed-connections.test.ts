import { expect, test } from '@jest/globals';
import { failedConnections } from '../../src/cli/failed-connections.ts';
import { handClock } from '../gateway/hand-clock.ts';

test('each failure of a connection is told once a minute, however they take turns, and again when it comes back later', () => {
  const clock = handClock();
  const told: string[] = [];
  const failed = failedConnections((event) => {
    if (event.kind === 'connection.failed') told.push(event.error.message);
  }, clock);
  for (let tenths = 0; tenths < 20; tenths += 1) {
    failed(new Error('ECONNREFUSED'));
    failed(new Error('Connection is closed.'));
    clock.advance(100);
  }
  expect(told).toEqual(['ECONNREFUSED', 'Connection is closed.']);
  clock.advance(58_000);
  failed(new Error('ECONNREFUSED'));
  expect(told).toEqual(['ECONNREFUSED', 'Connection is closed.', 'ECONNREFUSED']);
  clock.advance(59_999);
  failed(new Error('ECONNREFUSED'));
  expect(told).toHaveLength(3);
});
