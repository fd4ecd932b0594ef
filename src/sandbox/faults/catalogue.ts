/** Which calls a fault strikes: `again` is charging, `onetime` too; `look_up` every reading of payments or schedules. */
const CALLS = ['again', 'look_up', 'token', 'cancel', 'customers', 'any'] as const;

/** Calls, and the webhooks that are sent. */
export const FAULT_PLACES = [...CALLS, 'webhook'] as const;

/** One of `FAULT_PLACES`. */
export type FaultPlace = (typeof FAULT_PLACES)[number];

/** What a kind of fault may be asked for. */
export type FaultKind = {
  readonly on: readonly FaultPlace[];
  /** Every param with its default. */
  readonly params: Readonly<Record<string, number>>;
};

const CHARGES: readonly FaultPlace[] = ['again'];
const LOOK_UPS: readonly FaultPlace[] = ['look_up'];
const TOKENS: readonly FaultPlace[] = ['token'];

function kind(on: readonly FaultPlace[], params: FaultKind['params'] = {}): FaultKind {
  return { on, params };
}

/** Instead of doing anything. */
const BEFORE = {
  /** The connection ends without an answer. */
  reset: kind(CALLS),
  /** The same by a TCP reset. */
  rst: kind(CALLS),
  /** No answer as long as the caller stays. */
  hang: kind(CALLS),
  /** The connection stays open, its bytes are not read, and after `for_ms` it ends. Cannot be told by `match`. */
  unread: kind(CALLS, { for_ms: 120_000 }),
  error_500: kind(CALLS),
  page_502: kind(CALLS),
  too_many_requests: kind(CALLS),
  /** 429 with `Retry-After`. */
  too_many_requests_retry_after: kind(CALLS, { retry_after_s: 1 }),
  unauthorized: kind(CALLS),
  /** From the call that it strikes, every call is reset for `for_ms`, whatever `on` and `match` say. */
  outage: kind(CALLS, { for_ms: 10_000 }),
  /** From the call that it strikes, every call is answered 401 for `for_ms`, except for tokens. */
  unauthorized_storm: kind(['again', 'look_up', 'cancel', 'customers', 'any'], { for_ms: 10_000 }),
  /** PortOne's "not found" for something that may be there. */
  not_found: kind(['look_up', 'customers']),
};

/** The call is served as if nothing were wrong (a charge by its card), then its answer is lost or damaged. */
const AFTERWARDS = {
  done_then_hang: kind(CALLS),
  done_then_reset: kind(CALLS),
  done_then_rst: kind(CALLS),
  done_then_error_500: kind(CALLS),
  done_then_page_502: kind(CALLS),
  /** Half of the JSON in a whole answer. */
  done_then_truncated: kind(CALLS),
  /** Half of the answer, then the connection ends. */
  done_then_cut: kind(CALLS),
  done_then_wrong_type: kind(CALLS),
  /** One byte of the body every `every_ms`. */
  done_then_drip: kind(CALLS, { every_ms: 1_000 }),
  /** The whole answer a second time behind the first. */
  done_then_twice: kind(CALLS),
  /** The answer to a request about another uid. */
  done_then_other_uid: kind(['again', 'look_up', 'cancel']),
  /** Amounts in the answer are `by` major units too high. */
  wrong_amount: kind(['again', 'look_up', 'cancel'], { by: 1 }),
};

/** Charges that go another way than their card's. */
const COURSES = {
  decline_funds: kind(CHARGES),
  decline_card: kind(CHARGES),
  decline_key: kind(CHARGES),
  decline_time: kind(CHARGES),
  decline_verify: kind(CHARGES),
  decline_fraud: kind(CHARGES),
  decline_config: kind(CHARGES),
  decline_other: kind(CHARGES),
  decline_as_error: kind(CHARGES),
  flip_to_paid: kind(CHARGES, { delay_ms: 3_000 }),
  pending_then_paid: kind(CHARGES, { delay_ms: 3_000 }),
  /** Reset at once; captured uniformly within 0 to `max_ms`, invisible until then. */
  capture_late: kind(CHARGES, { max_ms: 3_000 }),
  /** The same, but the caller gets no answer at all. */
  capture_late_hang: kind(CHARGES, { max_ms: 3_000 }),
  /** Captured and answered so; after `delay_ms` the payment company takes it back. */
  paid_then_cancelled: kind(CHARGES, { delay_ms: 3_000 }),
};

/** Look-ups that do not show what is there. */
const SIGHTS = {
  /** A capture is not shown until `lag_ms` after it; a record that it changed is shown as it was. */
  lag: kind(LOOK_UPS, { lag_ms: 3_000 }),
  /** Lists in the order opposite to the one asked for. */
  wrong_order: kind(LOOK_UPS),
  /** `limit` is ignored: page 1 has the records that are not paid, if any, page 2 the paid ones. */
  page_2_only: kind(LOOK_UPS),
  /** As another account would see it: lists are empty, nothing is found. */
  other_account: kind(LOOK_UPS),
  /** Payments of test channels are hidden everywhere. */
  sandbox_hidden: kind(LOOK_UPS),
};

const TOKEN_FAULTS = {
  /** The token dies `after_ms` after it was told, though it says half an hour; the next one asked for is new. */
  expired_early: kind(TOKENS, { after_ms: 0 }),
  /** The last token again, as it was told, dead or alive. */
  same_token: kind(TOKENS),
};

const EVERYWHERE = {
  /** Served `ms` later. */
  slow: kind(CALLS, { ms: 1_000 }),
};

const WEBHOOKS: readonly FaultPlace[] = ['webhook'];

const WEBHOOK_FAULTS = {
  webhook_lost: kind(WEBHOOKS),
  webhook_doubled: kind(WEBHOOKS),
  webhook_late: kind(WEBHOOKS, { delay_ms: 3_000 }),
  /** Kept back until the next one has gone. */
  webhook_reordered: kind(WEBHOOKS),
  /** Beside the true one, three that say of the same payment what is not so. */
  webhook_forged: kind(WEBHOOKS),
  /** Beside the true one, one about another shop's payment. */
  webhook_foreign: kind(WEBHOOKS),
};

const KINDS = { ...BEFORE, ...AFTERWARDS, ...COURSES, ...SIGHTS, ...TOKEN_FAULTS, ...WEBHOOK_FAULTS, ...EVERYWHERE };

/** The name of a kind of fault. */
export type FaultName = keyof typeof KINDS;

/** Every kind of fault by its name. All spans are in ms of the sandbox's clock. */
export const FAULT_KINDS: ReadonlyMap<string, FaultKind> = new Map(Object.entries(KINDS));

/** Whether a text names a kind of fault. */
export function isFaultName(name: string): name is FaultName {
  return FAULT_KINDS.has(name);
}
