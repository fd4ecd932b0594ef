import { carryAtOnce, memoryStore } from './memory-store.ts';
import { markGone } from './observing.ts';
import { type Beginning, FINGERPRINT, POLICY, POLICY_VERSION, type Side } from './side.ts';
import { Tables } from './tables.ts';

/** The rows in memory as one side of the conformance test; `tables` are there to look at. */
export function memorySide(): Side & { readonly tables: Tables } {
  const tables = new Tables();
  const byExternalId = (externalId: string) => {
    const [row] = tables.subscriptions.where(({ external_id }) => external_id === externalId);
    if (row === undefined) throw new Error(`there is no subscription ${externalId}`);
    return row;
  };
  return {
    tables,
    store: memoryStore(tables, carryAtOnce(tables)),
    begin: async (subscriptions, nowMs) => {
      tables.nowMs = nowMs;
      tables.control = { ...tables.control, fingerprint: FINGERPRINT };
      tables.policies.set(POLICY_VERSION, POLICY);
      for (const subscription of subscriptions) addSubscription(tables, subscription);
    },
    setNow: async (nowMs) => {
      tables.nowMs = nowMs;
    },
    control: async (changes) => {
      tables.control = { ...tables.control, ...changes };
    },
    audited: async (audited_at, acknowledged_at) => {
      tables.control = { ...tables.control, audited_at, acknowledged_at, audited_in: tables.serverStart };
    },
    change: async (externalId, changes, nowMs) => {
      const row = byExternalId(externalId);
      const canceled_at = (changes.status ?? row.status) === 'canceled' ? nowMs : null;
      tables.subscriptions.put(row.id, { ...row, ...changes, canceled_at });
    },
    vanish: async (merchantUid) => markGone(tables, merchantUid),
    names: async () =>
      new Map([
        ...[...tables.subscriptions.all()].map((row) => [row.id, row.external_id] as const),
        ...[...tables.billingKeys.values()].map((row) => [row.id, row.customer_uid] as const),
        ...[...tables.invoices.all()].map(
          (row) => [row.id, `${tables.subscriptions.at(row.subscription_id).external_id} ${row.period_key}`] as const,
        ),
        ...[...tables.attempts.all()].map((row) => [row.id, row.merchant_uid] as const),
        ...[...tables.refunds.all()].map((row) => [row.id, `refund of ${row.imp_uid}`] as const),
      ]),
    rows: async () => ({
      customer: [...tables.customers.all()].map((row) => ({ ...row, external_id: row.id })),
      subscription: [...tables.subscriptions.all()],
      invoice: [...tables.invoices.all()],
      attempt: [...tables.attempts.all()],
      observation: [...tables.observations.all()],
      refund: [...tables.refunds.all()],
      outbox: [...tables.outbox],
      history: [...tables.history],
    }),
  };
}

/** One more subscription, with a customer's card of its own. */
export function addSubscription(tables: Tables, { customer, card, ...subscription }: Beginning): string {
  const id = tables.nextId();
  if (tables.customers.get(customer) === undefined)
    tables.customers.put(customer, { id: customer, caught_up_at: null });
  const keyId = tables.nextId();
  tables.billingKeys.set(keyId, {
    id: keyId,
    customer_id: customer,
    customer_uid: card,
    sandbox: null,
    verified_at: null,
  });
  tables.subscriptions.put(id, {
    ...subscription,
    id,
    customer_id: customer,
    billing_key_id: keyId,
    name: '원두 구독',
    amount: 9_900,
    currency: 'KRW',
    tax_free: 0,
    vat: null,
    interval_count: 1,
    timezone: 'Etc/UTC',
    channel: 'default',
    policy: 'default',
    first_period: 0,
    last_drawn_at: null,
    canceled_at: null,
    cancel_at: null,
  });
  return id;
}
