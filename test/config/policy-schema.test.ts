import { expect, test } from '@jest/globals';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseFileConfig } from '../../src/config/file-config.ts';

function problemsOf(raw: unknown): readonly string[] {
  try {
    parseFileConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test.each<[unknown, string]>([
  [
    { dunning: { default: { retryAfterDays: [3, 1] } } },
    'default.retryAfterDays is [3,1]: write the days in rising order',
  ],
  [{ dunning: { default: { retryAfterDays: [1, 1] } } }, 'write the days in rising order'],
  [{ dunning: { default: { retryAfterDays: [0] } } }, 'dunning.default.retryAfterDays.0 is 0: write at least 1'],
  [
    { dunning: { default: { retryAfterDays: Array.from({ length: 21 }, (_, day) => day + 1) } } },
    'write at most 20 entries',
  ],
  [{ dunning: { default: { retryAfterDays: ['payday', 3] } } }, "a day after 'payday' may never be reached"],
  [{ dunning: { default: { retryAfterDays: [1, 'friday'] } } }, "write a day from 1 to 365, or 'payday'"],
  [{ dunning: { default: { paydays: [] } } }, 'dunning.default.paydays is a list: write at least 1'],
  [{ dunning: { default: { paydays: [32] } } }, 'dunning.default.paydays.0 is 32: write at most 31'],
  [{ dunning: { default: { window: { from: '10:00', until: '09:00' } } } }, 'the window never opens'],

  [{ dunning: { default: { window: { until: '23:30' } } } }, 'write 01:01 to 23:00: around midnight cards fail'],
  [{ dunning: { default: { window: { from: '00:30' } } } }, 'write 01:00 to 22:59'],
  [{ dunning: { default: { window: { timezone: 'Asia/Soul' } } } }, 'no time zone of the IANA database'],
  [{ dunning: { default: { classes: { card: { card: 'other', retryAfterDays: [1] } } } } }, 'no rung is ever reached'],
  [
    { dunning: { default: { classes: { config: { card: 'other' } } } } },
    "default.classes.config.card is 'other': write 'same'",
  ],
  [
    {
      dunning: {
        default: {
          steps: [
            { name: 'locked', afterDays: 2, access: 'suspended' },
            { name: 'open', afterDays: 3, access: 'grace' },
          ],
        },
      },
    },
    'write no other access after `suspended`',
  ],
  [{ dunning: { default: { classes: { poor: {} } } } }, 'dunning.default.classes.poor is not a setting'],
  [{ dunning: { default: { steps: [{ name: '', afterDays: 2 }] } } }, 'a name is 1 to 64 letters'],
  [
    {
      dunning: {
        default: {
          steps: [
            { name: 'told', afterDays: 1 },
            { name: 'told', afterDays: 2 },
          ],
        },
      },
    },
    'write each name once',
  ],
  [{ dunning: { default: { end: 'stop' } } }, 'use one of unpaid, pause, cancel, write_off'],
  [{ dunning: { default: { perCard: { declines: 0 } } } }, 'dunning.default.perCard.declines is 0: write at least 1'],
  [{ dunning: { default: { minGapHours: -1 } } }, 'dunning.default.minGapHours is -1: write at least 0'],
])('%j is refused with its path', (raw, expected) => {
  expect(problemsOf(raw).join('\n')).toContain(expected);
});
