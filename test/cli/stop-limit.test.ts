import { expect, test } from '@jest/globals';
import { stopLimitMs } from '../../src/cli/stop-limit.ts';
import { resolveChannels } from '../../src/config/channels.ts';
import { parseFileConfig } from '../../src/config/file-config.ts';

const SETTING = { mode: 'live', gateway: 'portone' } as const;

test.each([
  [{}, 95],
  [{ default: { timeoutSeconds: 90 } }, 125],
  [{ default: {}, slow: { timeoutSeconds: 120 } }, 155],
])('a stop outlasts the longest call of the channels %j by half a minute: %i s', (channels, seconds) => {
  const problems: string[] = [];
  const resolved = resolveChannels(parseFileConfig({ channels }).channels, SETTING, problems);
  expect(problems).toEqual([]);
  expect(stopLimitMs({ channels: resolved })).toBe(seconds * 1_000);
});
