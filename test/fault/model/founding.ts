import type { ChargeRequest } from '../../../src/billing/charge.ts';
import { chanceFor } from './chance.ts';
import type { ModelGateway } from './model-gateway.ts';
import type { Agreement } from './oracle.ts';
import type { Plan } from './plan.ts';
import { addSubscription } from './store/memory-side.ts';
import { merchantUidOf } from './store/merchant-uid.ts';
import { observe } from './store/observing.ts';
import { FINGERPRINT, POLICY_VERSION } from './store/side.ts';
import { Tables } from './store/tables.ts';

const START_MS = Date.UTC(2027, 0, 31, 1);
const AMOUNT = 9_900;

/** The rows as a world begins: some subscriptions, all due now, and a database that is ours. */
export function foundRows(plan: Plan): Tables {
  const tables = new Tables();
  const chance = chanceFor(plan.luck, 'subscriptions');
  tables.nowMs = START_MS;
  tables.policies.set(POLICY_VERSION, { retryAfterDays: plan.retryAfterDays, minGapHours: plan.minGapHours });
  const audited_at = plan.audited ? Number.POSITIVE_INFINITY : null;
  tables.control = { ...tables.control, fingerprint: FINGERPRINT, audited_at, audited_in: tables.serverStart };
  const interval = chance.pick(['day', 'month'] as const);
  for (let index = 0; index < plan.subscriptions; index += 1) {
    addSubscription(tables, {
      external_id: `sub-${index}`,
      customer: chance.hits(0.5) ? 'customer-0' : `customer-${index}`,
      card: `card-${index}`,
      anchor_local: '2027-01-31T01:00:00',
      interval,
      ends_after: plan.periods,
      status: 'active',
      next_period: 0,
      next_due_at: START_MS,
      created_at: START_MS,
    });
  }
  return tables;
}

/** What was agreed with each payer, for a judge who does not read our rows. */
export function agreementsOf(plan: Plan): ReadonlyMap<string, Agreement> {
  const agreed = { firstDueAtMs: START_MS, amount: AMOUNT };
  return new Map(Array.from({ length: plan.subscriptions }, (_, index) => [`sub-${index}`, agreed]));
}

/** A payment of former times, known to both: something to hold a "not found" against. */
export function plantCanary(tables: Tables, gateway: ModelGateway): void {
  const record = gateway.remember(CANARY, START_MS - 86_400_000);
  observe(tables, [record], 'audit');
  tables.observations.put(record.impUid, {
    ...tables.observations.at(record.impUid),
    account_at: null,
    accounted_as: 'settles',
  });
}

const CANARY: ChargeRequest = {
  merchantUid: merchantUidOf('canary'),
  customerUid: 'card of former times',
  amount: { minor: AMOUNT, currency: 'KRW' },
  taxFreeMinor: 0,
  vatMinor: null,
  name: '원두 구독',
  buyerName: null,
  buyerEmail: null,
  buyerTel: null,
  customData: '{"subscription":"canary","period":"2027-01-30"}',
};
