import type { DateTime } from 'luxon';
import { merchantUid } from '../billing/ids.ts';
import { drawUpNext } from '../billing/subscription.ts';
import { asError } from '../events.ts';
import { databaseIsAway } from '../store/away.ts';
import type { DueSubscription, NewInvoice, Tick } from '../store/draw-up.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';
import { lookAtStanding, settleStanding } from './settle.ts';
import { sweep } from './sweep.ts';

/**
 * One pass: draws up an invoice for every subscription whose period has begun, at most one each, then rings for
 * everything due. Any number of schedulers may tick at once. `until` leaves alone what falls due later.
 */
export async function tick(
  deps: SchedulerDeps,
  until?: DateTime,
): Promise<{ readonly drawnUp: number; readonly rung: number }> {
  const startedMs = deps.clock.monotonicMs();
  const [due, first] = await Promise.all([lookAtStanding(deps), firstBatch(deps, until)]);
  await deps.failpoints.at('tick.begun');
  // Then there may be something to draw up that was not before.
  const moved = await settleStanding(deps, due);
  const pass = { startedAt: due.now, until: until ?? due.now };
  const drawn = moved || first?.length !== 0 ? await drawUpAll(deps, pass, moved ? null : first) : NOTHING;
  if (drawn.drawnUp > 0) await deps.failpoints.at('tick.drawn_up');
  const { rung } = await sweep(deps, { until, settles: true });
  const tookMs = Math.round(deps.clock.monotonicMs() - startedMs);
  deps.report({ kind: 'tick.finished', drawnUp: drawn.drawnUp, held: drawn.held, rung, tookMs });
  return { drawnUp: drawn.drawnUp, rung };
}

/** Null where the database refuses it: it is asked again where it counts, after what comes before. */
async function firstBatch({ store }: SchedulerDeps, until: DateTime | undefined): Promise<DueSubscription[] | null> {
  try {
    return await store.dueSubscriptions(BATCH, { startedAt: null, until: until ?? null });
  } catch (error) {
    if (databaseIsAway(error)) throw error;
    return null;
  }
}

const NOTHING: Drawn = { drawnUp: 0, held: 0 };

type Drawn = { readonly drawnUp: number; readonly held: number };

/** `first` is the first batch, where it is known already. */
async function drawUpAll(deps: SchedulerDeps, pass: Tick, first: readonly DueSubscription[] | null): Promise<Drawn> {
  const total = { drawnUp: 0, held: 0 };
  for (let asked = first; ; asked = null) {
    const due = asked ?? (await deps.store.dueSubscriptions(BATCH, pass));
    const plan = planBatch(deps, due);
    const drawnUp = await drawUpBatch(deps, plan.invoices);
    const ended = await deps.store.endSubscriptions(plan.ended);
    if (plan.broken.length > 0) await deps.store.passOver(plan.broken);
    total.drawnUp += drawnUp;
    total.held += plan.invoices.filter((invoice) => invoice.treatment === 'held').length;
    // A batch in which nothing moved is in another scheduler's hands.
    const isLast = due.length < BATCH && !plan.leavesSome;
    if (isLast || drawnUp + ended + plan.broken.length === 0) return total;
  }
}

type Plan = {
  readonly invoices: NewInvoice[];
  readonly ended: string[];
  readonly broken: string[];
  /** Whether some of the batch wait for others of their customer to be drawn up. */
  leavesSome: boolean;
};

function planBatch(deps: SchedulerDeps, due: readonly DueSubscription[]): Plan {
  const plan: Plan = { invoices: [], ended: [], broken: [], leavesSome: false };
  const seen = new Set<string>();
  for (const subscription of due) {
    try {
      const next = drawUpNext(subscription, deps.catchUp, subscription.now, deps.firstTick);
      if (next.kind === 'end') {
        plan.ended.push(subscription.id);
        continue;
      }
      if (next.as === 'spaced' || next.as === 'queued') {
        // The statement spaces a customer's charges by rows that are there already, so one at a time.
        if (seen.has(subscription.customerId)) {
          plan.leavesSome = true;
          continue;
        }
        seen.add(subscription.customerId);
      }
      plan.invoices.push(newInvoice(deps, subscription, next));
    } catch (error) {
      deps.report({ kind: 'subscription.broken', subscription: subscription.externalId, error: asError(error) });
      plan.broken.push(subscription.id);
    }
  }
  return plan;
}

function newInvoice(
  deps: SchedulerDeps,
  subscription: DueSubscription,
  next: Extract<ReturnType<typeof drawUpNext>, { kind: 'invoice' }>,
): NewInvoice {
  const { period } = next;
  const { anchorLocal, timezone, interval, intervalCount } = subscription.schedule;
  return {
    subscription_id: subscription.id,
    ...{ was_due_at: subscription.dueAt, anchor_local: anchorLocal, timezone, interval, interval_count: intervalCount },
    period_index: period.index,
    next_period: next.nextPeriod,
    next_due_at: next.nextDueAt.toJSDate().toISOString(),
    period_key: period.key,
    period_start: period.startAt.toJSDate().toISOString(),
    period_end: period.endAt.toJSDate().toISOString(),
    treatment: next.as,
    merchant_uid: merchantUid(deps.hmac, deps.installation, subscription.externalId, period.key, 1),
  };
}

/** One bad row never stops the batch: where the batch is refused, each row goes alone. */
async function drawUpBatch(deps: SchedulerDeps, invoices: readonly NewInvoice[]): Promise<number> {
  try {
    return await deps.store.drawUp(invoices, deps.policyVersions);
  } catch (error) {
    if (invoices.length === 1) {
      const [invoice] = invoices;
      const id = invoice?.subscription_id ?? '';
      await deps.store.passOver([id]); // throws where the database is away: then it is not the row's fault
      deps.report({ kind: 'subscription.broken', subscription: id, error: asError(error) });
      return 0;
    }
    let drawn = 0;
    for (const invoice of invoices) drawn += await drawUpBatch(deps, [invoice]);
    return drawn;
  }
}
