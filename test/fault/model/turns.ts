import type { MerchantUid } from '../../../src/billing/ids.ts';
import { lateWatch } from '../../../src/scheduler/late-watch.ts';
import { sweep } from '../../../src/scheduler/sweep.ts';
import { tick } from '../../../src/scheduler/tick.ts';
import { runJob } from '../../../src/worker/run-job.ts';
import type { Agenda } from './agenda.ts';
import type { Payment } from './books.ts';
import { type Chance, chanceFor } from './chance.ts';
import type { Doorbell } from './doorbell.ts';
import { accountAtMs, drawUpAtMs, sweepAtMs, watchAtMs } from './due.ts';
import type { Faults } from './faults.ts';
import type { ModelGateway } from './model-gateway.ts';
import type { Oracle } from './oracle.ts';
import { interruptions } from './people.ts';
import type { Plan } from './plan.ts';
import { DIES, gatewayOf, type Surroundings, schedulerDeps, storeOf, workerDeps } from './processes.ts';
import { type Slot, wakeAtMs } from './slots.ts';
import { Actor, type Parked, type Stage } from './stage.ts';
import { Refused } from './store/protections.ts';
import type { Tables } from './store/tables.ts';
import { brief, type Teller } from './telling.ts';

/** What a turn may touch. */
export type Scene = {
  readonly plan: Plan;
  readonly stage: Stage;
  readonly tables: Tables;
  readonly gateway: ModelGateway;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly agenda: Agenda;
  readonly doorbell: Doorbell;
  readonly slots: readonly Slot[];
};

/** A webhook on its way; `impUid` where it comes again until it was heard. */
type Visit = {
  readonly atMs: number;
  readonly merchantUid: MerchantUid;
  readonly impUid: string | null;
  readonly status: 'paid' | 'cancelled';
};

/** Who is next among all who could be, what befalls them, and what they do. */
export class Turns {
  /** Statements that the database refused, by the rule that stood against them. */
  readonly refusals = new Map<string, number>();
  readonly #scene: Scene;
  readonly #tell: Teller | null;
  readonly #order: Chance;
  readonly #around: Surroundings;
  readonly #visits: Visit[] = [];

  constructor(scene: Scene, tell: Teller | null) {
    this.#scene = scene;
    this.#tell = tell;
    this.#order = chanceFor(scene.plan.luck, 'order');
    const { oracle, doorbell, plan, faults, stage, gateway } = scene;
    this.#around = {
      ...scene,
      leased: (attempt) => oracle.leased(attempt),
      intending: interruptions(scene),
      intended: (merchantUid) => oracle.intended(merchantUid),
      settled: (merchantUid, impUid) => oracle.settled(merchantUid, impUid),
      declined: (merchantUid) => oracle.declined(merchantUid, gateway.mayStillCapture(merchantUid)),
      ring: (rings) => doorbell.add(rings, stage.nowMs, plan.faults.has('rings') && !faults.isCalm),
      report: (event) => tell?.(stage.nowMs, 'report', brief(event)),
    };
  }

  /** One turn, whoever's it is. False when nobody has anything to do at this instant. */
  async next(): Promise<boolean> {
    const turns = this.#possible();
    if (turns.length === 0) return false;
    await this.#order.pick(turns)();
    return true;
  }

  get nextVisitAtMs(): number {
    return this.#visits.reduce((next, { atMs }) => Math.min(next, atMs), Number.POSITIVE_INFINITY);
  }

  /** A webhook may come of a capture or a cancellation: late, twice or not at all. It is a hint to look up, and no more. */
  expectWebhook({ impUid, request: { merchantUid } }: Payment, status: Visit['status']): void {
    const { plan, stage, faults } = this.#scene;
    const isSure = plan.learns === 'by webhook';
    const lateMs = () => this.#order.pick([0, 1_000, 70_000, 3_000_000, 20_000_000]);
    if (isSure) this.#visits.push({ atMs: stage.nowMs + lateMs(), merchantUid, impUid, status });
    if (!plan.faults.has('webhook') || faults.isCalm) return;
    while (this.#order.hits(0.5))
      this.#visits.push({ atMs: stage.nowMs + lateMs(), merchantUid, impUid: null, status });
  }

  /** Every process dies and comes back. */
  restartAll(): void {
    for (const actor of [...this.#scene.stage.acting]) this.#die(actor);
  }

  #possible(): (() => Promise<void>)[] {
    const { stage, slots, agenda, gateway, doorbell, tables, plan } = this.#scene;
    const { nowMs } = stage;
    const turns: (() => Promise<void>)[] = [];
    for (const actor of stage.acting) {
      const { parked } = actor;
      if (parked !== null && parked.readyAtMs <= nowMs) turns.push(() => this.#advance(actor, parked));
    }
    for (const due of [agenda, gateway.agenda]) if (due.nextAtMs <= nowMs) turns.push(() => this.#happen(due));
    if (this.nextVisitAtMs <= nowMs) turns.push(() => this.#visit());
    const dueAtMs = Math.min(drawUpAtMs(tables, plan.periods), sweepAtMs(tables), watchAtMs(tables));
    for (const slot of slots) {
      if (slot.actor?.isAlive === true || slot.freeAtMs > nowMs) continue;
      if (slot.kind === 'worker' && doorbell.nextAtMs <= nowMs) turns.push(() => this.#work(slot));
      if (slot.kind === 'scheduler' && wakeAtMs(slot, dueAtMs, accountAtMs(tables)) <= nowMs)
        turns.push(() => this.#pass(slot));
    }
    return turns;
  }

  async #happen(agenda: Agenda): Promise<void> {
    this.#tell?.(this.#scene.stage.nowMs, 'world', agenda.nextWhat);
    agenda.next();
  }

  async #advance(actor: Actor, parked: Parked): Promise<void> {
    const { stage } = this.#scene;
    if (!parked.isTaken && !this.#take(actor, parked)) return;
    if (!actor.isAlive || parked.readyAtMs > stage.nowMs) return;
    await stage.hand(actor, parked);
  }

  /** The call takes effect, or something befalls it. False while its actor waits, or is no more. */
  #take(actor: Actor, parked: Parked): boolean {
    const { stage } = this.#scene;
    const isCall = parked.kind !== 'failpoint';
    if (isCall && !parked.wasPaused && !this.#befall(actor, parked, 'before')) return false;
    if (parked.isTaken) return true;
    parked.take();
    this.#tell?.(stage.nowMs, actor.name, `${parked.what} → ${brief(parked.said)}`);
    if (isCall) return this.#befall(actor, parked, 'after');
    if (parked.said === DIES) this.#die(actor);
    return actor.isAlive;
  }

  #befall(actor: Actor, parked: Parked, when: 'before' | 'after'): boolean {
    const { faults, stage } = this.#scene;
    const trouble = when === 'before' ? faults.before(parked) : faults.after(parked);
    if (trouble.kind === 'none') return true;
    this.#tell?.(stage.nowMs, actor.name, `${brief(trouble)} ${when} ${parked.what}`);
    switch (trouble.kind) {
      case 'crash':
        this.#die(actor);
        return false;
      case 'pause':
        parked.wasPaused = true;
        parked.readyAtMs = Math.max(parked.readyAtMs, stage.nowMs) + trouble.ms;
        return when === 'after';
      case 'error':
        parked.fail(new Error(trouble.says));
        return true;
    }
  }

  #die(actor: Actor): void {
    const { stage, slots, faults, doorbell } = this.#scene;
    this.#tell?.(stage.nowMs, actor.name, 'dies');
    stage.leave(actor);
    const slot = slots.find((one) => one.actor === actor);
    if (slot === undefined) return;
    slot.freeAtMs = stage.nowMs + faults.restartMs();
    if (slot.ring !== null && this.#order.hits(0.5)) doorbell.again(slot.ring, stage.nowMs + 30_000);
  }

  async #work(slot: Slot): Promise<void> {
    const { doorbell, stage } = this.#scene;
    const ring = doorbell.take(stage.nowMs);
    if (ring === null) return;
    slot.ring = ring;
    await this.#begin(slot, (actor) => runJob(workerDeps(this.#around, actor, slot.skewMs), ring));
  }

  async #pass(slot: Slot): Promise<void> {
    const { tables, plan, stage } = this.#scene;
    const isTick = drawUpAtMs(tables, plan.periods) <= stage.nowMs || this.#order.hits(0.2);
    const pass = watchAtMs(tables) <= stage.nowMs && this.#order.hits(0.5) ? lateWatch : isTick ? tick : sweep;
    const before = tables.history.length;
    await this.#begin(slot, async (actor) => {
      await pass(schedulerDeps(this.#around, actor));
      slot.idlePasses = tables.history.length === before ? slot.idlePasses + 1 : 0;
    });
  }

  async #begin(slot: Slot, run: (actor: Actor) => Promise<unknown>): Promise<void> {
    const { stage } = this.#scene;
    const actor = new Actor(slot.name);
    slot.actor = actor;
    this.#tell?.(stage.nowMs, slot.name, `begins${slot.ring === null ? '' : ` with ${brief(slot.ring)}`}`);
    await stage.begin(actor, async () => {
      await this.#untilItFails(run(actor), slot.name);
      slot.ring = null;
      slot.passedAtMs = stage.nowMs;
      slot.freeAtMs = stage.nowMs + (slot.kind === 'scheduler' ? 1_000 : 0);
    });
  }

  async #visit(): Promise<void> {
    const { stage } = this.#scene;
    const index = this.#visits.findIndex(({ atMs }) => atMs <= stage.nowMs);
    const [visit] = this.#visits.splice(index, 1);
    if (visit === undefined) return;
    const again = { ...visit, atMs: stage.nowMs + 3_600_000 };
    if (visit.impUid !== null) this.#visits.push(again); // until it got through
    const actor = new Actor('webhook');
    const look = async () => {
      const isSeen = await this.#lookUp(actor, visit);
      if (isSeen && this.#visits.includes(again)) this.#visits.splice(this.#visits.indexOf(again), 1);
    };
    await stage.begin(actor, () => this.#untilItFails(look(), actor.name));
  }

  /** Whether what the webhook is about was seen and written down. */
  async #lookUp(actor: Actor, { merchantUid, impUid, status }: Visit): Promise<boolean> {
    const answer = await gatewayOf(this.#around, actor).lookUp(merchantUid);
    if (answer.kind !== 'found') return false;
    await storeOf(this.#around, actor).observe(answer.records, 'look_up');
    return answer.records.some((record) => record.impUid === impUid && [status, 'cancelled'].includes(record.status));
  }

  /** A unit of work may throw: its lease ends, and another pass repeats it. */
  async #untilItFails(work: Promise<unknown>, name: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#tell?.(this.#scene.stage.nowMs, name, `fails: ${String(error)}`);
      if (error instanceof Refused) this.refusals.set(error.message, (this.refusals.get(error.message) ?? 0) + 1);
    }
  }
}
