import type { Failpoint } from '../../../../src/failpoints.ts';
import type { Chance } from '../chance.ts';
import { TIMES } from '../demands.ts';
import type { Slot } from '../fleet.ts';
import { passedIn } from '../passed.ts';
import type { FaultClass, World } from '../world.ts';

/**
 * Every process starts with a few failpoints armed while some fired too rarely, those first that fired least; later every other
 * one does. All of them are started anew at the beginning, and a strike does it with one, of the role that passes what fired least.
 */
export const failpoint: FaultClass = {
  name: 'failpoint',
  begin: async (world) => {
    const { plan, fleet, chance } = world;
    const draws = chance.fork('failpoints');
    const passed = passedIn(plan);
    fleet.arming = (what) => arming(failpointsOf(what, passed), draws, timesIn(world));
    for (const slot of fleet.working('worker', 'scheduler')) rearm(world, slot);
  },
  strike: async (world) => {
    const { plan, fleet, chance } = world;
    const times = timesIn(world);
    const [rarest] = passedIn(plan)
      .filter((name) => !REFUND.test(name))
      .sort((one, other) => times(one) - times(other));
    const role = rarest !== undefined && SCHEDULER.test(rarest) ? 'scheduler' : 'worker';
    const living = fleet.working(role);
    if (living.length === 0) return;
    rearm(world, chance.pick(living));
  },
  end: async ({ fleet }) => {
    fleet.arming = () => null;
  },
};

/** It is started again, with what is armed by then. */
function rearm({ fleet, tally }: World, slot: Slot): void {
  fleet.signal(slot, 'SIGKILL');
  tally.add('process', `rearm ${slot.role}`);
}

/** How often each fired, in this run and in those before it. */
function timesIn({ fired, tally }: World): (name: Failpoint) => number {
  return (name) => (fired[name] ?? 0) + (tally.of('failpoints')[name] ?? 0);
}

/** Failpoints that a process passes: by its role, or by the command that it runs. */
function failpointsOf(what: string, passed: readonly Failpoint[]): readonly Failpoint[] {
  switch (what) {
    case 'scheduler':
      return passed.filter((name) => SCHEDULER.test(name) || BOTH.has(name));
    case 'worker':
      return passed.filter((name) => !SCHEDULER.test(name));
    case 'bill':
      return passed.filter((name) => !REFUND.test(name));
    case 'refund':
      return passed.filter((name) => REFUND.test(name));
    case 'reconcile':
      return passed.filter((name) => AUDIT.test(name));
    default:
      return [];
  }
}

/**
 * Those that fired too rarely so far, wherever they are passed; else a few in every other process, so that most get far. Of
 * those on the way of an order one at most: the first would have its process die before it comes to the others.
 */
function arming(among: readonly Failpoint[], chance: Chance, times: (name: Failpoint) => number): string | null {
  const ranked = among
    .map((name) => ({ name, rank: times(name) + chance.next() * SHUFFLE }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ name }) => name);
  const rare = ranked.filter((name) => times(name) < TIMES);
  const names = rare.length > 0 ? rare : chance.happens(0.5) ? ranked : [];
  const ordered = names.filter((name) => REFUND.test(name) || AUDIT.test(name)).slice(0, 1);
  const others = names.filter((name) => !REFUND.test(name) && !AUDIT.test(name)).slice(0, rare.length > 0 ? ARMED : 2);
  const armed = [...others, ...ordered].map((name) => {
    return `${name}=${action(chance)}@${rateOf(name, chance, times(name) < TIMES)}`;
  });
  return armed.length === 0 ? null : armed.join(',');
}

function action(chance: Chance): string {
  const what = chance.weighed([
    ['kill', 45],
    ['throw', 25],
    ['delay', 15],
    ['hang', 7],
    ['stall', 8],
  ] as const);
  return what === 'delay' || what === 'stall' ? `${what}:${chance.between(100, 1_200)}` : what;
}

/**
 * What every charge passes fires rarely, so that charges get past it. What has fired too rarely so far fires sooner, but not
 * always: what comes after it must be reached.
 */
function rateOf(name: Failpoint, chance: Chance, isRare: boolean): string {
  const percent = OFTEN.has(name) ? chance.between(2, 8) * (isRare ? 3 : 1) : chance.between(10, 30) * (isRare ? 3 : 1);
  return (percent / 100).toFixed(2);
}

const SCHEDULER = /^(tick|retries|ring|sends|captures|capture|watch|audit)\./;
const REFUND = /^refund\./;
const AUDIT = /^audit\./;
const BOTH: ReadonlySet<string> = new Set(['living.withdrawn']);
const OFTEN: ReadonlySet<string> = new Set([
  'job.taken',
  'attempt.leased',
  'hook.answered',
  'hook.kept',
  'token.in_hand',
  'billing_key.checked',
  'look.done',
  'intent.about_to_be_written',
  'intent.unacknowledged',
  'intent.acknowledged',
  'guard.about_to_be_checked',
  'charge.about_to_be_written',
  'charge.in_flight',
  'charge.answered',
  'answer.observed',
  'record.about_to_be_written',
  'record.unacknowledged',
  'record.done',
  'events.taken_up',
  'delivery.leased',
  'function.called',
  'delivery.answered',
  'delivery.recorded',
]);
const ARMED = 4;
/** By how many firings the order is shaken. */
const SHUFFLE = 4;
