import { expect, test } from '@jest/globals';
import { waitSeconds } from '../../src/notify/back-off.ts';

const NOW = new Date('2027-01-31T01:00:00Z');
const DAY = 86_400;

test('of whatever is told again the last try is on the third day, though tries take time as well', () => {
  for (let event = 0; event < 1_000; event += 1) {
    const waits = Array.from({ length: 10 }, (_, index) => waitSeconds(index + 1, `event-${event}`, null, NOW));
    const lastAt = waits.reduce((sum, wait) => sum + wait, 0);
    expect(lastAt).toBeGreaterThan(2 * DAY);
    expect(lastAt).toBeLessThan(3 * DAY - 1_500);
  }
});
