import { InputError } from './billing/errors.ts';
import { type Clock, pause } from './clock.ts';
import { didYouMean } from './nearest-name.ts';

/**
 * Lines at which a process may die, hang or stall, each named after what was just done or is about to be done, with the
 * row of the charge protocol's table of crash points (§2.9) that it stands for.
 */
export const FAILPOINTS = [
  'tick.begun', // S1
  'tick.drawn_up', // S3, S4
  'retries.prepared', // S3
  'ring.marked', // S4
  'ring.added', // S5, S6
  'sends.expired', // W5
  'job.taken', // W1
  'attempt.leased', // W2
  'hook.answered', // W3
  'hook.kept', // W3, W4
  'token.in_hand', // W2
  'billing_key.checked', // W2
  'look.done', // W4
  'intent.about_to_be_written', // W4
  'intent.unacknowledged', // W5
  'intent.acknowledged', // W6
  'guard.about_to_be_checked', // W7
  'charge.about_to_be_written', // W8
  'charge.in_flight', // W9, W10, W22
  'charge.answered', // W11
  'answer.observed', // W11
  'token.refused', // 401
  'intent.taken_back', // 401
  'record.about_to_be_written', // W11, W17, W20
  'record.unacknowledged', // W12
  'record.done', // W13
  'look_up.answered', // R1
  'look_up.observed', // R1
  'canary.seen', // R3
  'living.withdrawn', // R8
  'watch.looked', // R9
  'captures.found', // R9
  'capture.accounted', // R9
  'hints.taken', // V1, V2
  'hint.observed', // V1
  'refund.leased',
  'refund.intended',
  'refund.in_flight',
  'refund.answered',
  'refund.recorded',
  'audit.compared', // P2
  'audit.recorded', // P2
  'events.taken_up', // O1
  'delivery.leased', // O1
  'function.called', // O3
  'delivery.answered', // O2
  'delivery.recorded', // O2
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** What a flow passes at each of its failpoints; in production nothing happens there. */
export type Failpoints = { at(name: Failpoint): Promise<void> };

/** No failpoint does anything. */
export const noFailpoints: Failpoints = { at: async () => undefined };

const ACTIONS = ['kill', 'throw', 'hang', 'delay', 'stall'] as const;
type Action = { readonly what: (typeof ACTIONS)[number]; readonly ms: number; readonly rate: number };

/**
 * Reads `name=action[:ms][@rate]`, with commas between: `record.done=kill@0.01,charge.in_flight=delay:2000`. `kill` is
 * SIGKILL, `stall` keeps the event loop busy. `any` stands for every failpoint. Chance follows from `seed` alone.
 * `fired` hears of each one before it acts. Throws InputError, naming the part that is wrong.
 */
export function parseFailpoints(
  text: string,
  { seed, clock, fired }: { readonly seed: number; readonly clock: Clock; readonly fired: (name: Failpoint) => void },
): Failpoints {
  const actions = new Map<string, Action>(text.split(',').map(parseOne));
  const chance = generator(seed);
  return {
    at: async (name) => {
      const action = actions.get(name) ?? actions.get('any');
      if (action === undefined || chance() >= action.rate) return;
      fired(name);
      await act(action, name, clock);
    },
  };
}

function parseOne(part: string): [string, Action] {
  const [, name = '', what = '', ms = '1000', rate = '1'] =
    /^([a-z_.]+)=([a-z]+)(?::(\d{1,6}))?(?:@(0?\.\d+|0|1))?$/.exec(part.trim()) ?? [];
  const known = FAILPOINTS.find((failpoint) => failpoint === name) ?? (name === 'any' ? name : undefined);
  const action = ACTIONS.find((one) => one === what);
  if (known === undefined || action === undefined) {
    const remedy = `write name=action[:ms][@rate], with an action of ${ACTIONS.join(', ')}`;
    throw new InputError(`'${part}' is no failpoint${didYouMean(name, FAILPOINTS)}`, remedy);
  }
  return [known, { what: action, ms: Number(ms), rate: Number(rate) }];
}

async function act({ what, ms }: Action, name: Failpoint, clock: Clock): Promise<void> {
  switch (what) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined); // the signal may take a moment
    case 'throw':
      throw new Error(`failpoint ${name}`);
    case 'hang':
      return new Promise(() => undefined);
    case 'delay':
      return pause(clock, ms);
    case 'stall': {
      const until = clock.monotonicMs() + ms;
      while (clock.monotonicMs() < until);
    }
  }
}

/** Numbers in 0…1 that follow from the seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
