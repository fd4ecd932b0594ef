import type { AttemptState } from '../billing/attempt.ts';
import type { PaymentRecord } from '../billing/charge.ts';
import { FenceError, InputError } from '../billing/errors.ts';
import type { InvoiceId } from '../billing/ids.ts';
import { judgeProof, type Proof } from '../billing/intervention.ts';
import { formatMajor } from '../billing/money.ts';
import { differences } from '../billing/outcome.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Said } from '../store/control.ts';
import { intervene, lookUpSoon } from '../store/interventions.ts';
import { observe } from '../store/observations.ts';
import { accountedAs, attemptOf, invoiceAsked } from '../store/proof.ts';
import { onFreshReading } from './fresh-reading.ts';
import { findStanding, type InterventionDeps } from './intervene.ts';

type Deps = InterventionDeps & { readonly gateway: Pick<Gateway, 'payment'>; readonly sandbox: boolean };

/**
 * Calls an invoice paid by a payment that the gateway shows: whole, of the invoice's amount, and of nobody else's invoice.
 * `accounted`: it is one of our own charges, and the next sweep settles the invoice by it. Throws InputError for what
 * proves nothing, FenceError while the fate of a charge is open, and Error when the gateway does not answer.
 */
export async function markPaid(
  deps: Deps,
  invoiceId: InvoiceId,
  impUid: string,
  said: Said,
): Promise<'paid' | 'accounted'> {
  const { db, fingerprint } = deps;
  const record = await proved(deps, invoiceId, impUid);
  const owner = await attemptOf(db, record.merchantUid);
  if (owner !== null && owner.invoiceId !== invoiceId)
    throw new InputError(`${impUid} is of invoice ${owner.invoiceId}`, 'name a payment of this one');
  const accounted = await accountedAs(db, impUid);
  if (accounted === 'settles' && owner?.state !== 'paid')
    throw new InputError(`an invoice is paid by ${impUid} already`, 'name another payment');
  const of = owner === null ? 'nobody' : whose(owner.state, accounted);
  await observe(db, [record], 'operator', owner === null ? 'foreign' : 'ours');
  const order = { invoiceId, intervention: 'mark-paid', said, fingerprint } as const;
  return onFreshReading<'paid' | 'accounted'>('the invoice', async () => {
    const { found, standing } = await findStanding(deps, invoiceId);
    const judgement = judgeProof({ impUid, of } satisfies Proof, standing);
    switch (judgement.kind) {
      case 'accounted':
        return 'accounted';
      case 'refused':
        throw new InputError(judgement.because, judgement.remedy);
      case 'look-up':
        await lookUpSoon(db, invoiceId);
        throw new FenceError(
          'the fate of its last charge is not known yet',
          'it is looked up at once; then say it again',
        );
      default:
        if (!(await intervene(db, order, found, judgement.change))) return null;
        return judgement.change.invoice.state === 'paid' ? 'paid' : 'accounted';
    }
  });
}

function whose(owner: AttemptState, accounted: Awaited<ReturnType<typeof accountedAs>>): Proof['of'] {
  if (accounted === 'settles') return 'counted';
  if (owner === 'review') return 'reviewed';
  return accounted === null ? 'other' : 'waiting';
}

/** The payment as the gateway shows it now, if it is what the invoice asks for. */
async function proved(deps: Deps, invoiceId: InvoiceId, impUid: string): Promise<PaymentRecord> {
  const asked = await invoiceAsked(deps.db, invoiceId);
  if (asked === null)
    throw new InputError(`there is no invoice '${invoiceId}'`, 'copy its id from /v1/invoices or the console');
  const answer = await deps.gateway.payment(impUid);
  if (answer.kind === 'unclear') throw new Error(`PortOne cannot be asked: ${answer.reason}`);
  if (answer.kind === 'absent')
    throw new InputError(`PortOne knows no payment '${impUid}'`, 'copy its imp_uid from PortOne’s console');
  const { record } = answer;
  if (record.status !== 'paid' || record.cancelMinor > 0)
    throw new InputError(
      `${impUid} is ${record.status} at PortOne`,
      'only a payment that is paid and not given back counts',
    );
  const price = `${formatMajor(asked)} ${asked.currency}`;
  const differs = differences(
    { ...record, customerUid: null },
    { amount: asked, sandbox: deps.sandbox, customerUid: '' },
  );
  if (differs.length > 0)
    throw new InputError(`${impUid} does not pay ${price}: ${differs.join(', ')}`, 'name the payment that does');
  return record;
}
