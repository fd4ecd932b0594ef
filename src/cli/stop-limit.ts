import type { Config } from '../config/config.ts';

/**
 * How long a stop may take, in ms: no charge begins any more, and the one that began last has its gateway's limit, and some
 * seconds to be looked up and recorded. A call in flight is never cut.
 */
export function stopLimitMs({ channels }: Pick<Config, 'channels'>): number {
  const longest = Math.max(...Object.values(channels).map(({ timeoutSeconds }) => timeoutSeconds));
  return (longest + RECORDED_WITHIN_SECONDS) * 1_000;
}

const RECORDED_WITHIN_SECONDS = 35;
