import { test } from '@jest/globals';
import fc from 'fast-check';
import type { Intervention } from '../../src/billing/intervention.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { CATCH_UP } from '../../src/billing/subscription.ts';
import type { SubscriptionOrder, Terms } from '../../src/billing/subscription-order.ts';
import { answered, capturedLate, outcomes } from './invoice-life.ts';
import { everySendIsAlone, stands } from './invoice-rules.ts';
import { type Agreed, ModelledSubscription } from './modelled-subscription.ts';
import { must } from './must.ts';

/** One thing that happens to a subscription; `of` counts its invoices from the newest. As data, so that a counterexample can be read. */
type Doing =
  | { readonly kind: 'tick' | 'work' }
  /** Time goes by, a scheduler and a worker come, and all that is sent ends so. */
  | { readonly kind: 'charges'; readonly hours: number; readonly outcome: ChargeOutcome }
  | { readonly kind: 'time'; readonly hours: number }
  | { readonly kind: 'answer'; readonly of: number; readonly outcome: ChargeOutcome }
  | { readonly kind: 'late capture'; readonly of: number; readonly attempt: number }
  | { readonly kind: 'held'; readonly of: number }
  | { readonly kind: 'order'; readonly order: SubscriptionOrder }
  | { readonly kind: 'terms'; readonly terms: Terms }
  | { readonly kind: 'card'; readonly id: string }
  | { readonly kind: 'intervene'; readonly of: number; readonly what: Intervention };

const ORDERS: readonly SubscriptionOrder[] = [
  { kind: 'cancel', at: 'period_end' },
  { kind: 'pause' },
  { kind: 'pause' },
  { kind: 'resume', anchor: 'keep' },
  { kind: 'resume', anchor: 'keep' },
  { kind: 'resume', anchor: 'new' },
  { kind: 'resume', anchor: 'new' },
  { kind: 'skip' },
];
const TERMS: readonly Terms[] = [
  { price: { minor: 12_000, currency: 'KRW' } },
  { price: { minor: 5_000, currency: 'KRW' }, every: { interval: 'day', intervalCount: 3 } },
  { price: { minor: 10, currency: 'USD' } },
  { price: { minor: 1_000, currency: 'KRW' }, every: { interval: 'month', intervalCount: 1 } },
];
/** Another currency or rhythm is refused. */
const AGREED_AMOUNTS: ReadonlySet<number> = new Set([9_900, 12_000, 5_000]);
const CANCEL: Doing = { kind: 'order', order: { kind: 'cancel', at: 'now' } };
const of = fc.nat(2);
const hours = fc.constantFrom(1, 6, 24, 24, 72);
const doings: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('charges' as const), hours, outcome: outcomes(1) }) },
  { weight: 3, arbitrary: fc.constantFrom<Doing>({ kind: 'tick' }, { kind: 'work' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), of, outcome: outcomes(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 4, arbitrary: fc.constantFrom(...ORDERS).map<Doing>((order) => ({ kind: 'order', order })) },
  { weight: 1, arbitrary: fc.constantFrom(...TERMS).map<Doing>((terms) => ({ kind: 'terms', terms })) },
  { weight: 1, arbitrary: fc.constantFrom<Doing>(CANCEL, { kind: 'tick' }, { kind: 'tick' }) },
  { weight: 1, arbitrary: fc.constantFrom('first', 'third').map<Doing>((id) => ({ kind: 'card', id })) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('held' as const), of }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late capture' as const), of, attempt: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('intervene' as const),
      of,
      what: fc.constantFrom<Intervention>('retry', 'retry', 'release', 'release', 'void'),
    }),
  },
);

const agreed: fc.Arbitrary<Agreed> = fc.record({
  policy: fc.record<DunningPolicy>({
    retryAfterDays: fc.constantFrom([], [1], [1, 3]),
    minGapHours: fc.constant(24),
    waitForCardDays: fc.constantFrom(0, 2),
    classes: fc.constant({ card: { retryAfterDays: [], card: 'other' }, funds: { retryAfterDays: [1], card: 'next' } }),
    end: fc.constantFrom('unpaid', 'unpaid', 'unpaid', 'pause', 'cancel', 'write_off'),
    later: fc.constantFrom('hold', 'accumulate'),
  }),
  catchUp: fc.constantFrom(...CATCH_UP),
  endsAfter: fc.constantFrom(null, null, null, 2, 3),
});

test('any sequence of orders, answers and time keeps a subscription and all its invoices in order', () => {
  fc.assert(
    fc.property(agreed, fc.noBias(fc.array(doings, { maxLength: 50, size: 'max' })), (terms, all) => {
      const subscription = new ModelledSubscription(terms);
      for (const doing of all) {
        const before = told(subscription);
        happens(subscription, doing);
        for (const invoice of subscription.invoices) stands(invoice);
        follows(subscription, before);
        if (subscription.drawn.length > 3) break;
      }
      for (const invoice of subscription.invoices) everySendIsAlone(invoice);
      periodsFollow(subscription, terms);
      goesOnOrEnds(subscription);
    }),
    { numRuns: 10_000 },
  );
}, 180_000);

function happens(subscription: ModelledSubscription, doing: Doing): void {
  if (doing.kind === 'time' || doing.kind === 'charges') subscription.pass(doing.hours);
  if (doing.kind === 'tick' || doing.kind === 'charges') subscription.tick();
  if (doing.kind === 'work' || doing.kind === 'charges') subscription.work();
  if (doing.kind === 'charges')
    for (const invoice of subscription.invoices) subscription.follows(answered(invoice, doing.outcome));
  if (doing.kind === 'order') subscription.order(doing.order);
  if (doing.kind === 'terms') subscription.changeTerms(doing.terms);
  if (doing.kind === 'card') subscription.changeCard(doing.id);
  const invoice = 'of' in doing ? subscription.invoices.at(-1 - doing.of) : undefined;
  if (invoice === undefined) return;
  if (doing.kind === 'answer') subscription.follows(answered(invoice, doing.outcome));
  if (doing.kind === 'late capture') subscription.follows(capturedLate(invoice, doing.attempt));
  if (doing.kind === 'intervene') subscription.intervene(invoice, doing.what);
  if (doing.kind === 'held')
    subscription.happens(invoice, { kind: 'withdrawn', to: 'held', reason: 'over_max_amount' });
}

/** What must not change, or in one direction alone. */
function told({ status, drawn, cancelsAt, invoices }: ModelledSubscription) {
  const paid = invoices
    .filter(({ state }) => state === 'paid')
    .map((invoice) => ({ invoice, sends: invoice.sends.length }));
  return { status, paid, cancelsAt, drawn: [...drawn] };
}

/** Paid absorbs, canceled is final, and what was drawn up is never lost or changed. */
function follows(subscription: ModelledSubscription, before: ReturnType<typeof told>): void {
  const { status, drawn, cancelsAt, now } = subscription;
  for (const { invoice, sends } of before.paid)
    must(invoice.state === 'paid' && invoice.sends.length === sends, 'what is paid stays paid, and is charged no more');
  must(
    before.drawn.every((one, index) => one === drawn[index]),
    'no period that was drawn up is lost',
  );
  const added = drawn.slice(before.drawn.length);
  must(before.status !== 'canceled' || (status === 'canceled' && added.length === 0), 'canceled is final');
  for (const { invoice, period, amount } of added) {
    const isOver = before.cancelsAt !== null && cancelsAt !== null && period.startAt >= cancelsAt;
    must(!isOver, 'what ends draws up nothing that begins then');
    must(invoice === 'waived' || period.startAt <= now, 'no period is drawn up before it begins');
    must(AGREED_AMOUNTS.has(amount), 'each costs what was agreed on, in its currency');
  }
}

/** One after the other without gap or overlap, save for a pause between; never more of them than were agreed. */
function periodsFollow({ drawn }: ModelledSubscription, { endsAfter }: Agreed): void {
  must(drawn.length <= (endsAfter ?? drawn.length), 'no more periods than were agreed');
  for (const [index, { period, after }] of drawn.entries()) {
    const last = drawn[index - 1]?.period;
    if (last === undefined) continue;
    must(period.key > last.key && period.startAt >= last.endAt, 'no two periods overlap');
    if (after === 'the one before') must(+period.startAt === +last.endAt, 'none is left out but by a pause');
  }
}

/** Somebody looks at it again, or it is over: then nothing is collected any more once no charge is under way. */
function goesOnOrEnds(subscription: ModelledSubscription): void {
  // The pass in which one invoice ends may stop the subscription; the next one withdraws what else it collects.
  for (let passes = 0; passes < 2; passes += 1) {
    subscription.tick();
    subscription.work();
  }
  const { status, nextDueAt, invoices } = subscription;
  must((nextDueAt === null) === (status === 'canceled'), 'what is not canceled is looked at again');
  for (const invoice of invoices) {
    if (invoice.isUnderWay()) continue;
    must(status !== 'canceled' || !(invoice.isCollected() || invoice.state === 'held'), 'canceled leaves nothing held');
    must(subscription.isLive() || !invoice.isCollected(), 'what is not charged collects nothing');
  }
}
