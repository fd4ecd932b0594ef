import type { DateTime } from 'luxon';
import { approveOthers } from '../app/stand-in-cards.ts';
import type { App } from '../app.ts';
import { InputError } from '../billing/errors.ts';
import { copyWhatIsOwed, liveNow } from '../store/live-copy.ts';
import { type Simulation, type SimulationOptions, simulate } from './simulate.ts';

/** A forecast, and the instant by the live database's clock from which it looks ahead. */
export type Forecast = Simulation & { readonly from: DateTime };

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
  const from = await liveNow(liveUrl);
  if (rest.until <= from) throw new InputError(`${rest.until.toISO()} is past`, 'name a later day');
  const seed = (url: string) => copyWhatIsOwed(liveUrl, url);
  const fill = (app: App) => approveOthers(app, new Set());
  return { ...(await simulate({ ...rest, from, seed, fill })), from };
}
