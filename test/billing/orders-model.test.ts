import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judge } from '../../src/billing/intervention.ts';
import { AWAITING_CARD } from '../../src/billing/invoice.ts';
import { answered, capturedLate, outcomes } from './invoice-life.ts';
import { everySendIsAlone, stands } from './invoice-rules.ts';
import { freshCard, ModelledInvoice as Invoice } from './modelled-invoice.ts';

type Doing = (invoice: Invoice) => void;
const doings: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Doing>((invoice) => invoice.send()) },
  { weight: 4, arbitrary: outcomes(6).map<Doing>((outcome) => (invoice) => void answered(invoice, outcome)) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 60 }).map<Doing>((hours) => (invoice) => invoice.pass(hours)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('retry' as const, 'release' as const, 'void' as const)
      .map<Doing>((what) => (invoice) => ordered(invoice, what)),
  },
  {
    weight: 3,
    arbitrary: fc.constant<Doing>((invoice) =>
      invoice.happens({ kind: 'withdrawn', to: 'held', reason: 'over_max_amount' }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Doing>(awaited) },
  { weight: 1, arbitrary: fc.nat(5).map<Doing>((index) => (invoice) => void capturedLate(invoice, index)) },
);

function ordered(invoice: Invoice, what: 'retry' | 'release' | 'void'): void {
  const judgement = judge(what, invoice.standing());
  if (judgement.kind === 'change') invoice.order(judgement.change);
}

/** The last instant for another card has come, and sometimes another card. */
function awaited(invoice: Invoice): void {
  if (invoice.reason !== AWAITING_CARD || invoice.nextAt === null) return;
  if (invoice.nextAt > invoice.now) invoice.cards = [freshCard('new'), ...invoice.cards];
  invoice.happens(
    {
      kind: 'card_awaited',
      decline: { class: 'card', reason: 'no' },
      barredUntil: invoice.standing().barredUntil,
      releasedAt: null,
    },
    invoice.attempts.at(-1),
  );
}

test('any sequence of orders, answers and late captures keeps what the promises rest on', () => {
  fc.assert(
    fc.property(fc.array(doings, { minLength: 1, maxLength: 40, size: 'max' }), (all) => {
      const invoice = new Invoice();
      for (const doing of all) {
        const wasPaid = invoice.state === 'paid';
        const sends = invoice.sends.length;
        doing(invoice);
        stands(invoice);
        if (wasPaid) expect([invoice.state, invoice.sends.length]).toEqual(['paid', sends]);
      }
      everySendIsAlone(invoice);
    }),
    { numRuns: 10_000 },
  );
}, 60_000);
