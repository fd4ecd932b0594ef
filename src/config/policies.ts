import { createHash } from 'node:crypto';

import type { DunningPolicy } from '../billing/dunning.ts';
import type { Channel, Named, Policy } from './config.ts';
import { named } from './named.ts';
import type { FileConfig } from './schema.ts';

/** Every policy with its version; `default` is there whether configured or not. Adds to `problems`. */
export function resolvePolicies(
  file: FileConfig['dunning'],
  channels: Named<Channel>,
  problems: string[],
): Named<Policy> {
  const quarantine = Math.max(...Object.values(channels).map((channel) => channel.quarantineSeconds));
  const given = Object.hasOwn(file, 'default') ? file : { default: DEFAULT_POLICY, ...file };
  return named(
    Object.entries(given).map(([name, dunning]) => {
      if (dunning.minGapHours * 3_600 < quarantine) {
        const path = `dunning.${name}.minGapHours`;
        problems.push(
          `${path} is ${dunning.minGapHours}: a retry waits out the longest quarantineSeconds, ${quarantine}`,
        );
      }
      return [name, { version: hash([dunning.retryAfterDays, dunning.minGapHours]), dunning }];
    }),
  );
}

/** One name for all policies together. */
export function policyVersion(policies: Named<Policy>): string {
  const versions = Object.entries(policies).map(([name, policy]) => [name, policy.version]);
  return hash(versions.sort(([one = ''], [other = '']) => (one < other ? -1 : 1)));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

const DEFAULT_POLICY: DunningPolicy = { retryAfterDays: [1, 3, 5], minGapHours: 24 };
