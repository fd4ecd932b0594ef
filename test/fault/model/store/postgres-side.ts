import { chargeStore } from '../../../../src/store/charge-store.ts';
import { markDatabase } from '../../../../src/store/fingerprint.ts';
import { markGone } from '../../../../src/store/observations.ts';
import { keepPolicyVersion } from '../../../../src/store/policy-versions.ts';
import { scheduleStore } from '../../../../src/store/schedule-store.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { FINGERPRINT, POLICY, POLICY_VERSION, type Side } from './side.ts';

/** A real database as the other side; `begin` empties it. */
export function postgresSide({ db, setNow }: Pick<TestDatabase, 'db' | 'setNow'>, at: AtInstant): Side {
  return {
    store: { ...chargeStore(db), ...scheduleStore(db) },
    begin: async (subscriptions, nowMs) => {
      await db.$executeRaw`TRUNCATE customer, billing_key, subscription, invoice, attempt, observation, refund, outbox, history CASCADE`;
      await setNow(at(nowMs));
      await db.$executeRaw`
        UPDATE control SET sending_enabled = true, adopted_at = NULL, audited_at = NULL, audited_in = NULL, acknowledged_at = NULL, latest_at = NULL`;
      await keepPolicyVersion(db, POLICY_VERSION, POLICY);
      await markDatabase(db, FINGERPRINT);
      for (const one of subscriptions) {
        await db.$executeRaw`INSERT INTO customer (external_id) VALUES (${one.customer}) ON CONFLICT DO NOTHING`;
        await db.$executeRaw`
          WITH k AS (INSERT INTO billing_key (customer_id, customer_uid)
            SELECT id, ${one.card} FROM customer WHERE external_id = ${one.customer} RETURNING id, customer_id)
          INSERT INTO subscription (external_id, customer_id, billing_key_id, name, amount, currency, "interval", interval_count,
                                    anchor_local, timezone, status, next_period, next_due_at, ends_after, created_at)
          SELECT ${one.external_id}, customer_id, id, '원두 구독', 9900, 'KRW', ${one.interval}, 1, ${one.anchor_local}, 'Etc/UTC',
                 ${one.status}, ${one.next_period}, ${dateOrNull(one.next_due_at)}, ${one.ends_after}, ${new Date(one.created_at)} FROM k`;
      }
    },
    setNow: (nowMs) => setNow(at(nowMs)),
    control: async ({ sending_enabled, adopted_at }) => {
      if (sending_enabled !== undefined) await db.$executeRaw`UPDATE control SET sending_enabled = ${sending_enabled}`;
      if (adopted_at !== undefined) await db.$executeRaw`UPDATE control SET adopted_at = ${dateOrNull(adopted_at)}`;
    },
    audited: async (atMs, acknowledgedAtMs) => {
      await db.$executeRaw`
        UPDATE control SET audited_at = ${dateOrNull(atMs)}, audited_in = maedal_incarnation(),
               acknowledged_at = ${dateOrNull(acknowledgedAtMs)}`;
    },
    change: async (externalId, { status, amount, cancel_at }, nowMs) => {
      await db.$executeRaw`
        UPDATE subscription SET amount = coalesce(${amount ?? null}::bigint, amount), status = coalesce(${status ?? null}, status),
               cancel_at = CASE WHEN ${cancel_at !== undefined} THEN ${dateOrNull(cancel_at ?? null)}::timestamptz ELSE cancel_at END,
               canceled_at = CASE WHEN coalesce(${status ?? null}, status) = 'canceled' THEN ${new Date(nowMs)}::timestamptz END
         WHERE external_id = ${externalId}`;
    },
    vanish: async (merchant_uid) => {
      const taken = await db.observation.findMany({ where: { merchant_uid }, select: { imp_uid: true } });
      for (const { imp_uid } of taken) await markGone(db, imp_uid);
    },
    names: async () => {
      const rows = await db.$queryRaw<{ id: string; name: string }[]>`
        SELECT id::text, external_id AS name FROM subscription UNION ALL SELECT id::text, customer_uid FROM billing_key
        UNION ALL SELECT i.id::text, s.external_id || ' ' || i.period_key FROM invoice i JOIN subscription s ON s.id = i.subscription_id
        UNION ALL SELECT id::text, merchant_uid FROM attempt UNION ALL SELECT id::text, 'refund of ' || imp_uid FROM refund`;
      return new Map(rows.map(({ id, name }) => [id, name]));
    },
    rows: async () => ({
      customer: await db.customer.findMany(),
      subscription: await db.subscription.findMany(),
      invoice: await db.invoice.findMany(),
      attempt: await db.attempt.findMany(),
      observation: await db.observation.findMany(),
      refund: await db.refund.findMany(),
      // What the database itself tells, of a subscription's status and access, the side in memory does not have.
      outbox: await db.outbox.findMany({ where: { kind: { notIn: TOLD_BY_TRIGGER } }, orderBy: { id: 'asc' } }),
      history: await db.history.findMany({ orderBy: { id: 'asc' } }),
    }),
  };
}

const TOLD_BY_TRIGGER = ['became_past_due', 'became_unpaid', 'trial_ended', 'recovered', 'access_changed'].map(
  (verb) => `subscription.${verb}`,
);

type AtInstant = (ms: number) => Parameters<TestDatabase['setNow']>[0];

function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
