import type { Agenda } from './agenda.ts';
import { type Chance, chanceFor } from './chance.ts';
import type { Oracle } from './oracle.ts';
import type { Plan } from './plan.ts';
import type { SubscriptionRow } from './store/rows.ts';
import type { Tables } from './store/tables.ts';

/** What an operator does to the rows from outside, each thing one statement. */
type Doing = 'cancels' | 'pauses' | 'resumes' | 'switches sending off' | 'switches sending on' | 'gives a new card';
const DOINGS: readonly Doing[] = [
  'cancels',
  'pauses',
  'resumes',
  'switches sending off',
  'switches sending on',
  'gives a new card',
];

/** Puts an operator's day on the agenda, and sees to it that sending is on at its end. */
export function employOperator(agenda: Agenda, plan: Plan, tables: Tables, oracle: Oracle): void {
  if (!plan.faults.has('operator')) return;
  const chance = chanceFor(plan.luck, 'operator');
  const startMs = tables.nowMs;
  const count = 1 + chance.below(4);
  for (let index = 0; index < count; index += 1) {
    const doing = chance.pick(DOINGS);
    const atMs = startMs + chance.below(chance.hits(0.5) ? 120_000 : plan.chaosMs);
    agenda.at(atMs, `the operator ${doing}`, () => act(doing, oneOf(tables, chance), tables, oracle));
    if (doing === 'switches sending off') switchOn(agenda, atMs + chance.below(7_200_000), tables);
  }
  switchOn(agenda, startMs + plan.chaosMs, tables);
}

/** What an operator does just when an intent is about to be written for a subscription, a few times in a world. */
export function interruptions({ agenda, plan, tables, oracle, faults }: Workplace): (subscription: string) => void {
  const chance = chanceFor(plan.luck, 'interruptions');
  let left = plan.faults.has('operator') ? chance.below(3) : 0;
  return (subscription) => {
    if (left === 0 || faults.isCalm || !chance.hits(0.3)) return;
    left -= 1;
    const doing = chance.pick(['cancels', 'pauses', 'switches sending off'] as const);
    const atMs = tables.nowMs;
    agenda.at(atMs, `the operator ${doing}`, () => act(doing, tables.subscriptions.at(subscription), tables, oracle));
    if (doing === 'switches sending off') switchOn(agenda, atMs + chance.below(7_200_000), tables);
  };
}

type Workplace = {
  readonly agenda: Agenda;
  readonly plan: Plan;
  readonly tables: Tables;
  readonly oracle: Oracle;
  readonly faults: { readonly isCalm: boolean };
};

function switchOn(agenda: Agenda, atMs: number, tables: Tables): void {
  agenda.at(atMs, 'the operator switches sending on', () => letChargesGo(tables));
}

/** `resumeSending` of `store/sending-alarms.ts` in memory: refused to whoever has not looked at what audits found. */
export function letChargesGo(tables: Tables, alarms: 'looked at' | 'not looked at' = 'not looked at'): void {
  if (tables.control.alarms === 'standing' && alarms === 'not looked at') return;
  const { control, nowMs } = tables;
  const acknowledged_at = control.alarms === 'standing' ? nowMs : control.acknowledged_at;
  tables.control = { ...control, sending_enabled: true, acknowledged_at, alarms: 'none' };
}

function oneOf({ subscriptions }: Tables, chance: Chance): SubscriptionRow {
  return chance.pick([...subscriptions.all()]);
}

function act(doing: Doing, row: SubscriptionRow, tables: Tables, oracle: Oracle): void {
  switch (doing) {
    case 'cancels':
      if (row.status === 'canceled') return;
      oracle.canceled(row.external_id);
      change(tables, row, { status: 'canceled', canceled_at: tables.nowMs });
      return;
    case 'pauses':
      if (row.status === 'active') change(tables, row, { status: 'paused' });
      return;
    case 'resumes':
      if (row.status === 'paused') change(tables, row, { status: 'active' });
      return;
    case 'switches sending off':
      tables.control = { ...tables.control, sending_enabled: false };
      return;
    case 'switches sending on':
      letChargesGo(tables);
      return;
    case 'gives a new card':
      giveCard(tables, row);
      return;
  }
}

function change(tables: Tables, row: SubscriptionRow, changes: Partial<SubscriptionRow>): void {
  tables.statement(() => tables.subscriptions.put(row.id, { ...row, ...changes }));
}

function giveCard(tables: Tables, row: SubscriptionRow): void {
  const id = tables.nextId();
  const card = { id, customer_id: row.customer_id, customer_uid: `card ${id}`, sandbox: null, verified_at: null };
  tables.billingKeys.set(id, card);
  change(tables, row, { billing_key_id: id });
}

/** Takes a backup, and puts it back later: everything between is forgotten, and every process starts anew. */
export function planRestore(agenda: Agenda, plan: Plan, tables: Tables, restarted: () => void): void {
  if (!plan.faults.has('restore')) return;
  const chance = chanceFor(plan.luck, 'restore');
  const backupAtMs = tables.nowMs + chance.below(chance.hits(0.5) ? 120_000 : plan.chaosMs / 2);
  agenda.at(backupAtMs, 'a backup is taken', () => {
    const restore = tables.snapshot();
    const restoreAtMs = tables.nowMs + chance.below(chance.hits(0.5) ? 120_000 : plan.chaosMs / 2);
    agenda.at(restoreAtMs, 'the backup is put back', () => {
      restore();
      tables.control = { ...tables.control, sending_enabled: true, alarms: 'none' };
      restarted();
    });
  });
}
