import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { importWithCards } from '../../src/app/stand-in-cards.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveSimulated } from '../../src/config/simulated.ts';
import { asError, type BillingEvent } from '../../src/events.ts';
import { type Line, lineOf } from '../../src/simulate/line.ts';
import { type Simulation, simulate } from '../../src/simulate/simulate.ts';
import { newDir } from '../config/temporary.ts';

/** A subscriber as far as simulations tell them apart. */
export type Subscriber = {
  readonly id: string;
  readonly anchor: string;
  readonly timezone?: string;
  readonly interval?: 'day' | 'week' | 'month' | 'year';
  readonly card?: string;
  readonly customer?: string;
  /** Of the configuration: its policy is what counts here. */
  readonly plan?: string;
  /** Further cards of the payer, in order; each is charged. */
  readonly backups?: readonly string[];
};

/** The configuration with these settings, as `maedal simulate --config` would have it. */
export async function configWith(settings: Readonly<Record<string, unknown>> = {}): Promise<Config> {
  const file = join(newDir(), 'maedal.config.ts');
  await writeFile(file, `export default ${JSON.stringify({ timezone: 'Asia/Seoul', ...settings })}`);
  return resolveSimulated({ file, env: {} });
}

/** A file that brings these subscribers in. */
export async function fileOf(subscribers: readonly Subscriber[]): Promise<string> {
  const file = join(newDir(), 'subscribers.jsonl');
  const rows = subscribers.map(({ id, anchor, timezone = 'Asia/Seoul', interval = 'month', card, ...more }) => ({
    ...{
      subscription_id: id,
      customer_id: more.customer ?? id,
      customer_uid: `card-of-${id}`,
      name: 'Coffee',
      amount: '9900',
    },
    ...{ currency: 'KRW', interval, interval_count: '1', anchor_at: anchor, timezone },
    ...(card === undefined ? {} : { test_card: card }),
    ...(more.plan === undefined ? {} : { plan: more.plan }),
    ...(more.backups === undefined ? {} : { backup_customer_uids: more.backups.join(';') }),
  }));
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  return file;
}

type Script = {
  readonly subscribers: readonly Subscriber[];
  readonly from: string;
  readonly until: string;
  readonly config?: Config;
  readonly outage?: { readonly from: string; readonly until: string };
};

/** What `maedal simulate` tells of each attempt. */
export async function play(script: Script): Promise<Line[]> {
  return (await playWhole(script)).attempts.map(lineOf);
}

/** Plays subscribers from one day of Seoul to another on the tests' PostgreSQL; whatever goes wrong by itself throws. */
export async function playWhole(script: Script): Promise<Simulation> {
  const file = await fileOf(script.subscribers);
  const failed: BillingEvent[] = [];
  const outage = script.outage;
  const simulation = await simulate({
    config: script.config ?? (await configWith()),
    serverUrl: serverUrl(),
    from: seoul(script.from),
    until: seoul(script.until),
    outages:
      outage === undefined ? [] : [{ fromMs: seoul(outage.from).toMillis(), untilMs: seoul(outage.until).toMillis() }],
    report: (event) => {
      if (event.kind === 'work.failed' || event.kind === 'subscription.broken') failed.push(event);
    },
    fill: (app) => importWithCards(app, file),
  });
  for (const event of failed) throw asError('error' in event ? event.error : event);
  return simulation;
}

/** The lines of one subscription. */
export function linesOf(lines: readonly Line[], id: string): Line[] {
  return lines.filter((line) => line.subscription_id === id);
}

/** An instant written in Seoul's time. */
export function seoul(text: string): DateTime {
  return DateTime.fromISO(text, { zone: 'Asia/Seoul' });
}

/** The PostgreSQL of the tests. */
export function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set; run the tests with `npm test`');
  return url;
}
