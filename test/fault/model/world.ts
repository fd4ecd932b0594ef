import { Agenda } from './agenda.ts';
import { auditUntilPassed } from './auditing.ts';
import { recordOf } from './books.ts';
import { chanceFor } from './chance.ts';
import { Doorbell } from './doorbell.ts';
import { accountAtMs, drawUpAtMs, isAtRest, sweepAtMs, watchAtMs } from './due.ts';
import { Faults } from './faults.ts';
import { agreementsOf, foundRows, plantCanary } from './founding.ts';
import { ModelGateway } from './model-gateway.ts';
import { startOlder } from './older.ts';
import { Oracle } from './oracle.ts';
import { employOperator, planRestore } from './people.ts';
import type { Plan } from './plan.ts';
import { nameOf } from './processes.ts';
import { type Slot, slotsOf, wakeAtMs } from './slots.ts';
import { Stage } from './stage.ts';
import { observe } from './store/observing.ts';
import type { Tables } from './store/tables.ts';
import type { Teller } from './telling.ts';
import { Turns } from './turns.ts';
import { judge } from './verdict.ts';

/** What came of a world. */
export type Outcome = {
  readonly oracle: Oracle;
  readonly tables: Tables;
  readonly turns: Turns;
  readonly faults: Faults;
  readonly steps: number;
};

const MOST_STEPS = 20_000;

/** Runs one seed's world until nothing is left to do but for people, or a rule of the protocol is broken. */
export async function runWorld(plan: Plan, tell: Teller | null = null): Promise<Outcome> {
  const world = new World(plan, tell);
  await world.run();
  const { oracle, tables, turns, faults, steps } = world;
  return { oracle, tables, turns, faults, steps };
}

class World {
  readonly plan: Plan;
  readonly oracle: Oracle;
  readonly tables: Tables;
  readonly faults: Faults;
  readonly turns: Turns;
  readonly gateway: ModelGateway;
  readonly stage: Stage;
  readonly agenda = new Agenda();
  readonly doorbell: Doorbell;
  readonly slots: readonly Slot[];
  steps = 0;

  constructor(plan: Plan, tell: Teller | null) {
    this.plan = plan;
    this.tables = foundRows(plan);
    const { nowMs } = this.tables;
    this.oracle = new Oracle(plan, this.tables, agreementsOf(plan));
    this.faults = new Faults(plan, nowMs);
    this.stage = new Stage(nowMs);
    this.doorbell = new Doorbell(chanceFor(plan.luck, 'doorbell'));
    this.slots = slotsOf(plan, this.faults, nowMs);
    this.gateway = new ModelGateway(plan, {
      posted: (request, answeredAtMs, ageMs) => this.oracle.posted(request, answeredAtMs, ageMs),
      captured: (payment) => {
        if (payment.owner.startsWith('canary')) return;
        tell?.(this.stage.nowMs, 'gateway', `captures ${payment.impUid} for ${payment.owner}`);
        this.oracle.captured(payment);
        this.turns.expectWebhook(payment, 'paid');
      },
      givenBack: (payment) => this.turns.expectWebhook(payment, 'cancelled'),
    });
    this.turns = new Turns(this, tell);
    this.#setTime(nowMs);
    plantCanary(this.tables, this.gateway);
    employOperator(this.agenda, plan, this.tables, this.oracle);
    startOlder(this.agenda, plan, this.tables, nameOf);
    planRestore(this.agenda, plan, this.tables, () => {
      this.oracle.restored();
      this.turns.restartAll();
      auditUntilPassed(this, chanceFor(plan.luck, 'audits'));
    });
    this.agenda.at(nowMs + plan.chaosMs, 'all is calm from now on', () => this.#calmDown());
  }

  async run(): Promise<void> {
    while (this.oracle.violations.length === 0) {
      this.steps += 1;
      if (this.steps > MOST_STEPS) return this.oracle.tell('I4', 'the world does not come to rest');
      if (await this.turns.next()) continue;
      if (this.#isOver()) return judge(this.plan, this.tables, this.oracle);
      const nextMs = this.#nextInstantMs();
      if (nextMs === Number.POSITIVE_INFINITY) return this.oracle.tell('I4', 'nothing will ever happen again');
      this.#setTime(nextMs);
    }
  }

  /** All is calm and at rest, nothing is on its way, and an audit finds nothing that nobody had seen. */
  #isOver(): boolean {
    const { agenda, gateway, stage, tables, plan } = this;
    if (stage.acting.length > 0 || agenda.nextAtMs < Number.POSITIVE_INFINITY) return false;
    if (gateway.agenda.nextAtMs < Number.POSITIVE_INFINITY || !isAtRest(tables, plan.periods)) return false;
    if (this.turns.nextVisitAtMs < Number.POSITIVE_INFINITY) return false;
    if (plan.learns === 'by webhook') return true;
    const records = gateway.payments.map((payment) => recordOf(payment));
    tables.statement(() => observe(tables, records, 'audit'));
    return isAtRest(tables, plan.periods);
  }

  #nextInstantMs(): number {
    const { stage, agenda, gateway, slots, doorbell, tables, plan } = this;
    let next = Math.min(agenda.nextAtMs, gateway.agenda.nextAtMs, this.turns.nextVisitAtMs);
    for (const { parked } of stage.acting) if (parked !== null) next = Math.min(next, parked.readyAtMs);
    const dueAtMs = Math.min(drawUpAtMs(tables, plan.periods), sweepAtMs(tables), watchAtMs(tables));
    for (const slot of slots) {
      if (slot.actor?.isAlive === true) continue;
      const wantedAtMs = slot.kind === 'worker' ? doorbell.nextAtMs : wakeAtMs(slot, dueAtMs, accountAtMs(tables));
      next = Math.min(next, Math.max(slot.freeAtMs, wantedAtMs));
    }
    return next;
  }

  #setTime(nowMs: number): void {
    this.stage.nowMs = nowMs;
    this.tables.nowMs = nowMs;
    this.gateway.nowMs = nowMs;
  }

  #calmDown(): void {
    this.faults.isCalm = true;
    this.gateway.isCalm = true;
    for (const slot of this.slots) slot.freeAtMs = Math.min(slot.freeAtMs, this.stage.nowMs + 1_000);
  }
}
