import type { UserEventHook } from 'maedal';

type Settings = {
  /** Your issuer of tax invoices. Takes `POST /invoices`, once for each `Idempotency-Key`. */
  readonly issuerUrl: string;
  readonly token: string;
};

/** Has a tax invoice issued for each charge that succeeded. It may be told twice: the event's id makes that one invoice. */
export function taxInvoice({ issuerUrl, token }: Settings): UserEventHook {
  return {
    name: 'tax-invoice',
    run: async ({ id, type, timestamp, data, signal }) => {
      if (type !== 'charge.succeeded') return;
      const { invoice_id, customer_id, amount, currency, imp_uid } = data;
      const answer = await fetch(`${issuerUrl}/invoices`, {
        method: 'POST',
        signal,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify({ invoice_id, customer_id, amount, currency, imp_uid, paid_at: timestamp }),
      });
      // What throws is told again, later and later.
      if (!answer.ok) throw new Error(`the issuer answered ${answer.status}`);
    },
  };
}
