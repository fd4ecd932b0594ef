import type { DateTime } from 'luxon';
import { approveOthers } from '../app/stand-in-cards.ts';
import type { App } from '../app.ts';
import { InputError } from '../billing/errors.ts';
import { copyWhatIsOwed, type LiveStanding, readLiveStanding } from '../store/live-copy.ts';
import { type Simulation, type SimulationOptions, simulate } from './simulate.ts';

/** A forecast, the instant by the live database's clock from which it looks ahead, and whether that one sends at all. */
export type Forecast = Simulation & { readonly from: DateTime } & Pick<LiveStanding, 'switchedOff'>;

/**
 * What a live database is going to charge, and when: a simulation over a copy of what it owes, in which every card is
 * charged. Nothing is written into the live one. Throws InputError where `until` is past.
 */
export async function forecast(
  options: Pick<SimulationOptions, 'config' | 'serverUrl' | 'until' | 'report' | 'stopped'> & {
    readonly liveUrl: string;
  },
): Promise<Forecast> {
  const { liveUrl, ...rest } = options;
  const { now: from, switchedOff } = await readLiveStanding(liveUrl);
  if (rest.until <= from) {
    const until = rest.until.setZone(rest.config.timezone).toFormat('yyyy-LL-dd HH:mm');
    throw new InputError(`${until} is past`, 'name a later day');
  }
  const seed = (url: string) => copyWhatIsOwed(liveUrl, url);
  const fill = (app: App) => approveOthers(app, new Set());
  return { ...(await simulate({ ...rest, from, seed, fill })), from, switchedOff };
}
