import { assertNever, FenceError, InputError } from '../billing/errors.ts';
import type { InvoiceId } from '../billing/ids.ts';
import { type Change, type Intervention, type InvoiceStanding, judge } from '../billing/intervention.ts';
import type { Said } from '../store/control.ts';
import type { Db } from '../store/db.ts';
import { findForIntervention, type InvoiceFound, intervene, lookUpSoon, standingOf } from '../store/interventions.ts';
import { onFreshReading } from './fresh-reading.ts';

export type InterventionDeps = {
  readonly db: Db;
  readonly fingerprint: string;
  readonly channel: (name: string) => { readonly quarantineSeconds: number; readonly declinesAreFinal: boolean };
};

/**
 * Carries out what a person orders about an invoice. Nothing is sent here: what is let go is due, and any worker looks
 * it up and then charges it. Returns the invoice's state from now on. In a database that is not this installation's
 * nothing is done. Throws InputError for what cannot be done as things stand, FenceError while the fate of a charge is open.
 */
export async function orderIntervention(
  deps: InterventionDeps,
  invoiceId: InvoiceId,
  intervention: Intervention,
  said: Said,
): Promise<Change['invoice']['state']> {
  const order = { invoiceId, intervention, said, fingerprint: deps.fingerprint };
  return onFreshReading('the invoice', async () => {
    const { found, standing } = await findStanding(deps, invoiceId);
    const change = await allowed(deps, order, standing);
    return (await intervene(deps.db, order, found, change)) ? change.invoice.state : null;
  });
}

async function allowed(
  { db }: InterventionDeps,
  { invoiceId, intervention }: { readonly invoiceId: InvoiceId; readonly intervention: Intervention },
  standing: InvoiceStanding,
): Promise<Change> {
  const judgement = judge(intervention, standing);
  switch (judgement.kind) {
    case 'change':
      return judgement.change;
    case 'look-up':
      await lookUpSoon(db, invoiceId);
      throw new FenceError(
        'the fate of its last charge is not known yet, so nothing else may be done',
        'it is looked up at once; `maedal explain` tells what came of that',
      );
    case 'refused':
      throw new InputError(judgement.because, judgement.remedy);
    default:
      return assertNever(judgement);
  }
}

/** An invoice as it is found, and as an order is judged on it. Throws InputError when there is none. */
export async function findStanding(
  { db, channel: channelOf }: InterventionDeps,
  invoiceId: InvoiceId,
): Promise<{ readonly found: InvoiceFound; readonly standing: InvoiceStanding }> {
  const found = await findForIntervention(db, invoiceId);
  if (found === null)
    throw new InputError(`there is no invoice '${invoiceId}'`, 'copy its id from /v1/invoices or the console');
  return { found, standing: standingOf(found, channelOf(found.channel)) };
}
