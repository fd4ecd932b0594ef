import { closedAfterSeconds } from '../billing/absence.ts';
import type { Channel, Named } from './config.ts';
import { named } from './named.ts';
import type { FileConfig } from './schema.ts';

/** What the channels are held against: the environment, and the gateway that they lead to. */
export type Setting = { readonly mode: 'test' | 'live'; readonly gateway: 'portone' | 'sandbox' };

/** Every channel with its defaults; `default` is there whether configured or not. Adds to `problems`. */
export function resolveChannels(file: FileConfig['channels'], setting: Setting, problems: string[]): Named<Channel> {
  const given = Object.hasOwn(file, 'default') ? file : { default: { ratePerSecond: null }, ...file };
  return named(
    Object.entries(given).map(([name, channel]) => {
      const resolved = withDefaults(channel, setting);
      problems.push(...problemsOf(`channels.${name}`, resolved, setting));
      if (channel.mode !== undefined && channel.mode !== setting.mode) {
        problems.push(`channels.${name}.mode is '${channel.mode}', but MAEDAL_ENV is ${setting.mode}; change one`);
      }
      return [name, resolved];
    }),
  );
}

type FileChannel = FileConfig['channels'][string];

function withDefaults(channel: FileChannel, { gateway }: Setting): Channel {
  const defaults = gateway === 'sandbox' ? SANDBOX_DEFAULTS : PROTOCOL_DEFAULTS;
  const pg = channel.pg ?? null;
  return {
    pg,
    ratePerSecond: channel.ratePerSecond,
    timeoutSeconds: channel.timeoutSeconds ?? defaults.timeoutSeconds,
    horizonSeconds: channel.horizonSeconds ?? defaults.horizonSeconds,
    quarantineSeconds: channel.quarantineSeconds ?? defaults.quarantineSeconds,
    declinesAreFinal: channel.declinesAreFinal ?? !/^(?:paypal|paymentwall)/i.test(pg ?? ''),
  };
}

function problemsOf(path: string, channel: Channel, { mode }: Setting): string[] {
  const problems: string[] = [];
  for (const key of ['timeoutSeconds', 'horizonSeconds', 'quarantineSeconds'] as const) {
    if (mode === 'live' && channel[key] < PROTOCOL_DEFAULTS[key]) {
      problems.push(`${path}.${key} is ${channel[key]}: live needs at least ${PROTOCOL_DEFAULTS[key]}`);
    }
  }
  const { timeoutSeconds, horizonSeconds, quarantineSeconds } = channel;
  if (horizonSeconds < timeoutSeconds) {
    problems.push(
      `${path}.horizonSeconds is ${horizonSeconds}: it cannot be less than timeoutSeconds, ${timeoutSeconds}`,
    );
    return problems;
  }
  const closed = closedAfterSeconds(channel);
  if (quarantineSeconds < closed) {
    problems.push(
      `${path}.quarantineSeconds is ${quarantineSeconds}: it cannot be less than ${closed}, after which nothing of a send ` +
        `can land: ${closed - timeoutSeconds - horizonSeconds} for it to begin, timeoutSeconds and horizonSeconds together`,
    );
  }
  return problems;
}

/** Charge protocol §2.6. */
const PROTOCOL_DEFAULTS = { timeoutSeconds: 60, horizonSeconds: 3_600, quarantineSeconds: 86_400 };
/** The sandbox captures late by seconds, not by hours. */
const SANDBOX_DEFAULTS = { timeoutSeconds: 10, horizonSeconds: 20, quarantineSeconds: 60 };
