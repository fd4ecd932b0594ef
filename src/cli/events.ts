import type { Command } from 'commander';
import { toldOf } from '../app/hook-listeners.ts';
import type { App } from '../app.ts';
import { InputError } from '../billing/errors.ts';
import { UUID } from '../billing/ids.ts';
import { isoInstant, isoInstantOrNull } from '../operator/instant.ts';
import { printable } from '../operator/printable.ts';
import { type ReplayOrder, type ReplayResult, replayEvents } from '../operator/replay-events.ts';
import { deliveryStandings, disabledEndpoints, enableEndpoint } from '../store/endpoints.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { dayOf } from './day.ts';
import { demandOurs } from './ours.ts';

type Options = {
  readonly from?: string;
  readonly until?: string;
  readonly endpoint?: string;
  readonly type: readonly string[];
  readonly undelivered: boolean;
  readonly dryRun: boolean;
};

export function eventsCommand(program: Command, context: Context): void {
  const show: Show = (value, text) => printResult(context, program.opts().json === true, value, text);
  const events = program
    .command('events')
    .description('tell how deliveries stand at each endpoint; have events go again')
    .action(async () => {
      const standings = await withApp('maedal/events', readStandings);
      show({ endpoints: standings }, () => standings.map(standingLine).join('\n') || NOBODY);
    });
  addReplay(events, show);
  addEnable(events, show);
}

type Show = (value: unknown, text: () => string) => void;

function addReplay(events: Command, show: Show): void {
  events
    .command('replay')
    .description('have events go again, by their ids or by when they happened: under the same ids, by any worker')
    .argument('[ids...]', 'ids of events, from /v1/events')
    .option('--from <time>', 'of this day, or instant such as 2027-01-31T10:00+09:00, and later')
    .option('--until <time>', 'before this one; left out, until now')
    .option('--endpoint <name>', 'to this one alone, or to a hook, `hook:…`; left out, to every endpoint')
    .option('--type <kind>', 'only this kind; may be given again', (kind, all: readonly string[]) => [...all, kind], [])
    .option('--undelivered', 'only what has not arrived', false)
    .option('--dry-run', 'only say what would go', false)
    .action(async (ids: string[], options: Options) => {
      const result = await withApp('maedal/events', async (app) => {
        await demandOurs(app);
        const { db, identity, config } = app;
        const deps = { db, fingerprint: identity.fingerprint, listeners: toldOf(config) };
        return replayEvents(deps, orderOf(ids, options, config.timezone), actor());
      });
      show(result, () => replayLines(result));
    });
}

function addEnable(events: Command, show: Show): void {
  events
    .command('enable')
    .description('tell an endpoint again that answered 410 Gone')
    .argument('<name>', 'its name in the configuration')
    .action(async (name: string) => {
      const { disabledAt, missedFrom, reason } = await withApp('maedal/events', (app) => enable(app, name));
      const [since, from] = [isoInstant(disabledAt), isoInstant(missedFrom)];
      show({ name, disabled_at: since, reason, missed_from: from }, () =>
        [
          `${name} is told again; it was left alone since ${since}: ${reason}`,
          `what it missed: maedal events replay --endpoint ${name} --undelivered --from ${from}`,
        ].join('\n'),
      );
    });
}

/** Days begin in the merchant's time zone. Throws InputError for what is no id or no time. */
function orderOf(ids: readonly string[], options: Options, zone: string): ReplayOrder {
  const wrong = ids.find((id) => !UUID.test(id));
  if (wrong !== undefined) throw new InputError(`'${wrong}' is not the id of an event`, 'copy it from /v1/events');
  const { from, until, type, endpoint, undelivered, dryRun } = options;
  return {
    ids: ids.length === 0 ? undefined : ids,
    from: from === undefined ? undefined : dayOf('--from', from, zone).toJSDate(),
    until: until === undefined ? undefined : dayOf('--until', until, zone).toJSDate(),
    kinds: type.length === 0 ? undefined : type,
    ...{ endpoint, undelivered, dryRun },
  };
}

function replayLines({ endpoints, dry_run: isDry }: ReplayResult): string {
  const lines = endpoints.map(({ name, deliveries, disabled }) => {
    if (disabled) return `${name}: left alone, \`maedal events enable ${name}\` first`;
    return `${name}: ${deliveries} ${deliveries === 1 ? 'event' : 'events'}`;
  });
  return [...lines, isDry ? 'nothing was sent' : 'workers send them, or else the next `maedal bill`'].join('\n');
}

async function enable(app: App, name: string) {
  await demandOurs(app);
  const by = { actor: actor(), fingerprint: app.identity.fingerprint };
  const enabled = await enableEndpoint(app.db, name, by);
  if (enabled === null)
    throw new InputError(`'${name}' is not left alone`, '`maedal events` shows how each endpoint stands');
  return enabled;
}

/** Everybody who is configured, and whoever something is kept for. */
async function readStandings({ db, config }: App) {
  const listeners = toldOf(config);
  const disabled = new Map((await disabledEndpoints(db, listeners)).map((one) => [one.name, one]));
  const kept = new Map((await deliveryStandings(db)).map((one) => [one.name, one]));
  const names = new Set([...listeners.map(({ name }) => name), ...kept.keys()]);
  const configured = new Set(listeners.map(({ name }) => name));
  return [...names].map((name) => ({
    name,
    configured: configured.has(name),
    waiting: kept.get(name)?.waiting ?? 0,
    given_up: kept.get(name)?.givenUp ?? 0,
    disabled_at: isoInstantOrNull(disabled.get(name)?.disabledAt ?? null),
    reason: disabled.get(name)?.reason ?? null,
  }));
}

type Standing = Awaited<ReturnType<typeof readStandings>>[number];

function standingLine({ name, configured, waiting, given_up: givenUp, disabled_at: since, reason }: Standing): string {
  const parts = [
    `${waiting} waiting`,
    `${givenUp} given up in ten days`,
    ...(configured ? [] : ['not configured']),
    ...(since === null ? [] : [`left alone since ${since}: ${reason}`]),
  ];
  return printable(`${name}: ${parts.join(', ')}`);
}

const NOBODY = 'nobody is told of events: see `events.endpoints` in the configuration';
