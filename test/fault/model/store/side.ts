import type { ChargeStore } from '../../../../src/store/charge-store.ts';
import type { ScheduleStore } from '../../../../src/store/schedule-store.ts';
import type { ControlRow, SubscriptionRow } from './rows.ts';

/** A subscription as a sequence begins with it; its customer and card have names of their own. */
export type Beginning = Pick<
  SubscriptionRow,
  'external_id' | 'anchor_local' | 'interval' | 'ends_after' | 'status' | 'next_period' | 'next_due_at' | 'created_at'
> & { readonly customer: string; readonly card: string };

/** One implementation of the store, with what a conformance test does to its rows from outside. */
export type Side = {
  readonly store: ChargeStore & ScheduleStore;
  begin(subscriptions: readonly Beginning[], nowMs: number): Promise<void>;
  setNow(nowMs: number): Promise<void>;
  control(changes: Partial<Pick<ControlRow, 'sending_enabled' | 'adopted_at'>>): Promise<void>;
  audited(atMs: number | null, acknowledgedAtMs: number | null): Promise<void>;
  change(
    externalId: string,
    changes: Partial<Pick<SubscriptionRow, 'status' | 'amount' | 'cancel_at'>>,
    nowMs: number,
  ): Promise<void>;
  /** What the gateway was seen to take under an id is not there any more. */
  vanish(merchantUid: string): Promise<void>;
  /** Names of rows by their ids, so that two sides can be compared: ids differ, natural keys do not. */
  names(): Promise<Map<string, string>>;
  /** Every row, its ids as they are. */
  rows(): Promise<Record<string, Record<string, unknown>[]>>;
};

/** What a process of the sequence takes the database for. */
export const FINGERPRINT = 'the database of a test';
export const POLICY_VERSION = 'test';
export const POLICY = { retryAfterDays: [1, 3], minGapHours: 24 };
