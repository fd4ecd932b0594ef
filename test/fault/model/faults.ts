import type { Failpoint } from '../../../src/failpoints.ts';
import { type Chance, chanceFor } from './chance.ts';
import { type Plan, TIMEOUT_MS } from './plan.ts';
import type { Parked } from './stage.ts';

/** What befalls a call before it takes effect, or its answer. */
export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'error'; readonly says: string };

const HOUR_MS = 3_600_000;
const NONE: Trouble = { kind: 'none' };
/** What does the most harm when it comes late: past H others have looked meanwhile, and sent again. */
const REFUSAL = /^record (declined|rejected)$/;
const STALLS_MS = [3_700_000, 5_400_000, 10_800_000];
const PAUSES_MS = [4_000, 6_000, 30_000, 89_000, 91_000, 200_000, 1_200_000, 5_400_000, 10_800_000];

/** Draws the troubles of processes, connections and the database. */
export class Faults {
  readonly fired = new Map<Failpoint, number>();
  isCalm = false;
  #left: number;
  readonly #plan: Plan;
  readonly #chance: Chance;
  readonly #lies: { readonly fromMs: number; readonly untilMs: number };

  constructor(plan: Plan, nowMs: number) {
    this.#plan = plan;
    this.#left = plan.troubles;
    this.#chance = chanceFor(plan.luck, 'faults');
    const fromMs = nowMs + this.#chance.below(plan.chaosMs);
    this.#lies = { fromMs, untilMs: fromMs + this.#chance.pick([1, 3, 12]) * HOUR_MS };
  }

  /** Before a call takes effect. */
  before(parked: Parked): Trouble {
    return this.#spend(this.isCalm || this.#left === 0 ? NONE : this.#before(parked));
  }

  /** After it took effect, before anyone heard of it. */
  after(parked: Parked): Trouble {
    return this.#spend(this.isCalm || this.#left === 0 ? NONE : this.#after(parked));
  }

  #spend(trouble: Trouble): Trouble {
    if (trouble.kind !== 'none') this.#left -= 1;
    return trouble;
  }

  #before({ kind, what }: Parked): Trouble {
    const { faults, rate } = this.#plan;
    if (faults.has('stall') && REFUSAL.test(what) && this.#chance.hits(0.5))
      return { kind: 'pause', ms: this.#chance.pick(STALLS_MS) };
    if (faults.has('crash') && this.#chance.hits(rate)) return { kind: 'crash' };
    if (faults.has('pause') && this.#chance.hits(rate)) return this.#pause(kind === 'post');
    if (faults.has('database_away') && kind === 'store' && this.#chance.hits(rate))
      return { kind: 'error', says: 'the database is away' };
    return NONE;
  }

  #after({ kind }: Parked): Trouble {
    const { faults, rate } = this.#plan;
    if (faults.has('crash') && this.#chance.hits(rate)) return { kind: 'crash' };
    if (faults.has('lost_ack') && (kind === 'store' || kind === 'queue') && this.#chance.hits(rate * 2))
      return { kind: 'error', says: 'the connection was lost after the statement' };
    if (faults.has('pause') && this.#chance.hits(rate)) return this.#pause(false);
    if (faults.has('slow') && this.#chance.hits(0.1)) return { kind: 'pause', ms: this.#chance.below(3_000) };
    return NONE;
  }

  /** At a failpoint; counted by its name. */
  at(name: Failpoint): Trouble {
    if (this.isCalm || this.#left === 0 || !this.#plan.faults.has('failpoint')) return NONE;
    if (!this.#chance.hits(this.#plan.rate * 2)) return NONE;
    this.#left -= 1;
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
    const draw = this.#chance.next();
    if (draw < 0.5) return { kind: 'crash' };
    if (draw < 0.7) return { kind: 'error', says: `failpoint ${name}` };
    return this.#pause(false);
  }

  /** Between the last look at the guard and the write a pause is bounded where nothing but H protects (W8); elsewhere none is. */
  #pause(isPastGuard: boolean): Trouble {
    const ms = this.#chance.pick(PAUSES_MS);
    return { kind: 'pause', ms: isPastGuard ? Math.min(ms, this.#plan.longestPauseMs) : ms };
  }

  /**
   * Whether a unit of work that begins now asks another account's books throughout: its look-ups find nothing, the
   * canary's included. For hours nearly all of them do, and at other times a few.
   */
  liesThroughout(nowMs: number): boolean {
    if (this.isCalm || !this.#plan.faults.has('lie')) return false;
    const isWindow = nowMs >= this.#lies.fromMs && nowMs < this.#lies.untilMs;
    return this.#chance.hits(isWindow ? 0.9 : 0.1);
  }

  /** How long a dead process takes to come back. */
  restartMs(): number {
    return this.isCalm ? 1_000 : this.#chance.pick([500, 5_000, TIMEOUT_MS, 600_000]);
  }

  /** How much a host's wall clock is off; its other clock never is. */
  skewMs(): number {
    return this.#plan.faults.has('clock') ? this.#chance.pick([0, 86_400_000, -7_200_000]) : 0;
  }
}
