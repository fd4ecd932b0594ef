import type { DateTime } from 'luxon';
import { parseAnchor } from '../../billing/anchor.ts';
import type { Interval, Schedule } from '../../billing/calendar.ts';
import { InputError } from '../../billing/errors.ts';
import { exponentOf, formatMajor, type Money, parseMajor } from '../../billing/money.ts';
import { didYouMean } from '../../nearest-name.ts';
import type { StagedRow } from '../../store/import.ts';
import { countUpTo, parseEmail, parseInterval, parseKnownZone, parseUids, sameSpelling, textUpTo } from './cells.ts';
import type { Cells, Column } from './columns.ts';
import { RowReader } from './row-reader.ts';
import { parseInstant, standingOf } from './standing.ts';

/** What a plan fills into blank cells. */
type ImportPlan = {
  readonly name: string;
  readonly amount: Money;
  readonly interval: Interval;
  readonly intervalCount: number;
  /** Name of its dunning policy. */
  readonly policy: string;
};

/** What a row's meaning depends on beside its cells. */
export type RowSettings = {
  /** Plans by the name that the column `plan` gives. */
  readonly plans: Readonly<Record<string, ImportPlan>>;
  /** Names of the configured channels; `default` need not be among them. */
  readonly channels: readonly string[];
  /** Names of the configured dunning policies, `default` among them. */
  readonly policies: readonly string[];
  /** IANA zone of rows that name none. */
  readonly timezone: string;
  /** Local time of anchors without a time, `HH:mm`. */
  readonly chargeAt: string;
  /** Whether the sandbox knows a test card by this name or number; null where the gateway is no sandbox. */
  readonly isTestCard: ((card: string) => boolean) | null;
};

/** What a row asks for, ready to be staged, or everything that is wrong with it. */
export type RowReading =
  | { readonly kind: 'good'; readonly row: Omit<StagedRow, 'line' | 'note'> }
  | { readonly kind: 'bad'; readonly problems: readonly string[] };

/** Reads one row by itself; what rows or the database say against each other is the store's to find. Pure. */
export function readRow(cells: Cells, settings: RowSettings, now: DateTime): RowReading {
  const reader = new RowReader(cells);
  const plan = planOf(reader, settings);
  const payer = readPayer(reader, settings);
  const price = readPrice(reader, plan);
  const terms = readTerms(reader, settings, plan, now);
  if (payer === null || price === null || terms === null || reader.problems.length > 0) {
    return { kind: 'bad', problems: reader.problems };
  }
  const { externalId, policy, ...rest } = payer;
  const subscription = {
    plan: reader.text('plan'),
    ...price,
    ...terms,
    channel: rest.channel,
    policy: policy ?? plan?.policy ?? 'default',
  };
  return { kind: 'good', row: { externalId, ...rest, subscription, imported: writtenValues(cells, price.currency) } };
}

function planOf(reader: RowReader, { plans }: RowSettings): ImportPlan | null {
  return reader.read('plan', (name) => {
    const plan = Object.hasOwn(plans, name) ? plans[name] : undefined;
    if (plan !== undefined) return plan;
    const known = Object.keys(plans).join(', ');
    throw new InputError(
      `'${name}' is not a plan`,
      known === '' ? 'the configuration has none' : `use one of ${known}`,
    );
  });
}

function readPayer(reader: RowReader, settings: RowSettings) {
  const externalId = reader.need('subscription_id', textUpTo(MAX_ID));
  const customerId = reader.need('customer_id', textUpTo(MAX_ID));
  const customerUid = reader.need('customer_uid', textUpTo(80));
  const backups = reader.read('backup_customer_uids', parseUids) ?? [];
  const keys = customerUid === null ? backups : [customerUid, ...backups];
  const twice = keys.find((uid, index) => keys.indexOf(uid) < index);
  if (twice !== undefined) reader.problems.push(`backup_customer_uids: '${twice}' is there twice`);
  const customer = {
    id: customerId ?? '',
    name: reader.read('buyer_name', textUpTo(16)),
    email: reader.read('buyer_email', parseEmail),
    tel: reader.read('buyer_tel', textUpTo(16)),
  };
  const channel = reader.read('channel', (name) => knownChannel(name, settings)) ?? 'default';
  // A segment of the subscribers may be collected otherwise than their plan says.
  const policy = reader.read('policy', (name) => knownPolicy(name, settings));
  const testCard = reader.read('test_card', (card) => knownCard(card, settings));
  if (externalId === null || customerId === null || customerUid === null) return null;
  return { externalId, customer, keys, channel, policy, testCard };
}

function readPrice(reader: RowReader, plan: ImportPlan | null) {
  const name = reader.need('name', textUpTo(40), plan?.name);
  const currency = reader.need('currency', parseCurrency, plan?.amount.currency);
  const inherited = plan !== null && plan.amount.currency === (currency ?? plan.amount.currency) ? plan.amount : null;
  if (plan !== null && inherited === null && reader.text('amount') === null) {
    reader.problems.push(
      `currency: the plan's price is in ${plan.amount.currency}; write the amount in ${currency} too`,
    );
    return null;
  }
  // The amount cannot be read before its currency is known; that it is there at all can be told.
  const parse = (text: string) => (currency === null ? null : parsePrice(text, currency));
  const amount = reader.need('amount', parse, inherited);
  if (name === null || currency === null || amount === null) return null;
  return { name, currency, amount: amount.minor };
}

function readTerms(reader: RowReader, settings: RowSettings, plan: ImportPlan | null, now: DateTime) {
  const interval = reader.need('interval', parseInterval, plan?.interval);
  const intervalCount = reader.need('interval_count', countUpTo(1_000), plan?.intervalCount);
  const timezone = reader.need('timezone', parseKnownZone, settings.timezone);
  const anchorLocal = reader.need('anchor_at', (text) => parseAnchor(text, timezone ?? 'UTC', settings.chargeAt));
  const endsAfter = reader.read('ends_after', countUpTo(100_000));
  if (interval === null || intervalCount === null || timezone === null || anchorLocal === null) return null;
  const schedule: Schedule = { anchorLocal, timezone, interval, intervalCount };
  const trialUntil = reader.read('trial_until', (text) => parseInstant(text, schedule));
  const billedThrough = reader.read('billed_through', (text) => parseInstant(text, schedule));
  const standing = reader.attempt('billed_through', () => standingOf(schedule, trialUntil, billedThrough, now));
  if (standing === null) return null;
  return {
    ...schedule,
    trialUntil,
    billedThrough,
    endsAfter,
    ...standing,
    status: trialUntil !== null && trialUntil > now ? ('trialing' as const) : ('active' as const),
  };
}

function parseCurrency(text: string): string {
  exponentOf(text);
  return text;
}

function parsePrice(text: string, currency: string): Money {
  const amount = parseMajor(text, currency);
  if (amount.minor === 0) throw new InputError(`'${text}' is nothing to charge`, 'a price is above zero');
  return amount;
}

function knownChannel(name: string, { channels }: RowSettings): string {
  if (name === 'default' || channels.includes(name)) return name;
  const known = [...new Set(['default', ...channels])].join(', ');
  throw new InputError(`'${name}' is not a channel of the configuration`, `use one of ${known}`);
}

function knownPolicy(name: string, { policies }: RowSettings): string {
  if (policies.includes(name)) return name;
  throw new InputError(
    `'${name}' is not under dunning in the configuration${didYouMean(name, policies)}`,
    `use one of ${policies.join(', ')}`,
  );
}

function knownCard(card: string, { isTestCard }: RowSettings): string {
  if (isTestCard === null) throw new InputError('test cards exist in the sandbox only', 'leave it blank');
  if (!isTestCard(card)) throw new InputError(`'${card}' is not a test card`, 'see `/_sandbox/cards` for their names');
  return card;
}

/**
 * The row's own words in one spelling, to tell whether the same subscription comes in again with other values. What
 * a plan or the configuration filled in stays out: a new price there does not make old rows differ.
 */
function writtenValues(cells: Cells, currency: string): Readonly<Record<string, string>> {
  const written = [...cells].map(([column, text]) => [column, SPELLINGS[column]?.(text, currency) ?? text] as const);
  return Object.fromEntries(written);
}

const SPELLINGS: { readonly [Name in Column]?: (text: string, currency: string) => string } = {
  amount: (text, currency) => formatMajor(parseMajor(text, currency)),
  interval_count: (text) => String(Number(text)),
  ends_after: (text) => String(Number(text)),
  anchor_at: sameSpelling,
  trial_until: sameSpelling,
  billed_through: sameSpelling,
  timezone: parseKnownZone,
  backup_customer_uids: (text) => parseUids(text).join(';'),
};

/** Characters of the merchant's own ids at most: they travel in `custom_data` beside every payment. */
const MAX_ID = 200;
