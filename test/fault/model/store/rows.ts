import type { AttemptState } from '../../../../src/billing/attempt.ts';
import type { Interval } from '../../../../src/billing/calendar.ts';
import type { AttemptId, InvoiceId, MerchantUid } from '../../../../src/billing/ids.ts';
import type { InvoiceState } from '../../../../src/billing/invoice.ts';
import type { RefundState } from '../../../../src/billing/refund.ts';
import type { SubscriptionStatus } from '../../../../src/billing/subscription-status.ts';

/** Rows as the tables hold them: columns by their SQL names, instants in ms since 1970. Never changed, only replaced. */
export type CustomerRow = {
  readonly id: string;
  /** When a missed period of this customer was last charged. */
  readonly caught_up_at: number | null;
};

export type BillingKeyRow = {
  readonly id: string;
  readonly customer_id: string;
  readonly customer_uid: string;
  readonly sandbox: boolean | null;
  readonly verified_at: number | null;
};

export type SubscriptionRow = {
  readonly id: string;
  readonly external_id: string;
  readonly customer_id: string;
  readonly billing_key_id: string;
  readonly name: string;
  readonly amount: number;
  readonly currency: string;
  readonly tax_free: number;
  readonly vat: number | null;
  readonly interval: Interval;
  readonly interval_count: number;
  readonly anchor_local: string;
  readonly timezone: string;
  readonly ends_after: number | null;
  readonly cancel_at: number | null;
  readonly channel: string;
  readonly policy: string;
  readonly status: SubscriptionStatus;
  readonly first_period: number;
  readonly next_period: number;
  readonly next_due_at: number | null;
  readonly last_drawn_at: number | null;
  readonly canceled_at: number | null;
  readonly created_at: number;
};

export type InvoiceRow = {
  readonly id: InvoiceId;
  readonly subscription_id: string;
  readonly period_key: string;
  readonly period_index: number;
  readonly period_start: number;
  readonly period_end: number;
  readonly due_at: number;
  readonly amount: number;
  readonly currency: string;
  readonly tax_free: number;
  readonly vat: number | null;
  readonly name: string;
  readonly state: InvoiceState;
  readonly reason: string | null;
  readonly next_at: number | null;
  readonly failures: number;
  readonly last_attempt_at: number | null;
  readonly policy_version_id: string;
  readonly paid_at: number | null;
  readonly watch_at: number | null;
  readonly retry_key_id: string | null;
  readonly spaced: boolean;
};

export type AttemptRow = {
  readonly id: AttemptId;
  readonly invoice_id: InvoiceId;
  readonly number: number;
  readonly merchant_uid: MerchantUid;
  readonly state: AttemptState;
  readonly billing_key_id: string | null;
  readonly customer_uid: string | null;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly tax_free: number | null;
  readonly vat: number | null;
  readonly name: string | null;
  readonly generation: number;
  readonly rung_at: number | null;
  readonly fence: number;
  readonly lease_until: number | null;
  readonly lease_count: number;
  readonly send_count: number;
  readonly not_sent_count: number;
  readonly not_found_count: number;
  readonly first_sent_at: number | null;
  readonly sent_at: number | null;
  readonly answered_at: number | null;
  readonly unanswered_at: number | null;
  readonly unsettled_since: number | null;
  readonly imp_uid: string | null;
  readonly decline_class: string | null;
  readonly fail_reason: string | null;
};

export type ObservationRow = {
  readonly imp_uid: string;
  readonly merchant_uid: string;
  readonly attempt_id: AttemptId | null;
  readonly status: 'ready' | 'paid' | 'failed' | 'cancelled' | 'other';
  readonly amount: number | null;
  readonly currency: string | null;
  readonly cancel_amount: number;
  readonly customer_uid: string | null;
  readonly sandbox: boolean | null;
  readonly fail_reason: string | null;
  readonly started_at: number | null;
  readonly paid_at: number | null;
  readonly failed_at: number | null;
  readonly learnt_by: string;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
  readonly account_at: number | null;
  readonly accounted_as: 'settles' | 'refund' | 'review' | 'returned' | null;
  readonly gone_at: number | null;
};

export type RefundRow = {
  readonly id: string;
  readonly invoice_id: InvoiceId;
  readonly imp_uid: string;
  readonly amount: number;
  readonly currency: string;
  readonly checksum: number;
  readonly reason: string;
  readonly requested_by: string;
  readonly state: RefundState;
  readonly next_at: number | null;
};

export type OutboxRow = {
  readonly kind: string;
  readonly subscription_id: string;
  readonly invoice_id: InvoiceId | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly next_at: number;
};

export type ControlRow = {
  readonly sending_enabled: boolean;
  readonly fingerprint: string | null;
  readonly adopted_at: number | null;
  readonly audited_at: number | null;
  readonly audited_in: number | null;
  readonly acknowledged_at: number | null;
  /** Whether alarms stand that no person has taken for settled. */
  readonly alarms: 'standing' | 'none';
};

export type HistoryRow = {
  readonly entity: 'subscription' | 'invoice' | 'attempt' | 'refund';
  readonly entity_id: string;
  readonly from_state: string | null;
  readonly to_state: string;
  readonly reason: string | null;
  readonly fence: number | null;
  readonly at: number;
};
