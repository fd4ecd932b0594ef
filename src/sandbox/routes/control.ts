import type { FastifyInstance } from 'fastify';
import { findTestCard, TEST_CARDS, type TestCard } from '../cards.ts';
import { type Core, record } from '../core.ts';
import type { Payment } from '../entry.ts';
import { type Fields, fieldsOf, invalid, optionalText, requiredText, wholeNumber } from '../fields.ts';
import { storeTestCard } from '../keys.ts';
import { type RecoveryAsk, recover } from '../recovery.ts';
import type { Movement } from '../state.ts';

type ByUid = { Params: { customer_uid: string } };
type Wish = { readonly customerUid: string; readonly testCard: TestCard };

/** The control plane under `/_sandbox/`: what moved, which cards there are, what time it is. Needs no token. */
export function registerControlRoutes(app: FastifyInstance, core: Core): void {
  app.get('/_sandbox/ledger', ({ query }) => ledgerPage(core, fieldsOf(query)));
  app.get('/_sandbox/cards', () => ({
    data: TEST_CARDS.map(({ number, name, behaviour }) => ({ number, name, behaviour })),
    next_cursor: null,
  }));
  app.post<ByUid>('/_sandbox/cards/:customer_uid', ({ params, body }) => {
    return storeCards(core, [{ ...fieldsOf(body), customer_uid: params.customer_uid }]);
  });
  app.post('/_sandbox/cards', ({ body }) => {
    const { cards } = fieldsOf(body);
    if (!Array.isArray(cards) || cards.length > 1_000) throw invalid('cards is not a list of at most 1,000 entries');
    return storeCards(core, cards);
  });
  app.post('/_sandbox/recovery', ({ body }) => {
    const data = recover(core, readRecovery(fieldsOf(body))).map((payment) => recoveryRow(payment));
    return { data, next_cursor: null };
  });
  app.get('/_sandbox/clock', () => ({ now: instant(core.time.nowMs()) }));
  app.post('/_sandbox/clock', ({ body }) => {
    const offsetMs = core.time.moveTo(targetOf(core, fieldsOf(body)));
    record(core, { kind: 'clock-moved', offsetMs });
    return { now: instant(core.time.nowMs()) };
  });
}

function readRecovery(fields: Fields): RecoveryAsk {
  const card = optionalText(fields, 'card');
  if (card !== null && findTestCard(card) === null) throw invalid(`card '${card}' is not a test card`);
  return {
    customerUid: optionalText(fields, 'customer_uid'),
    merchantUidPrefix: optionalText(fields, 'merchant_uid') ?? '',
    card: card === null ? null : (findTestCard(card)?.name ?? null),
    failedBeforeMs: Number.POSITIVE_INFINITY,
    atMs: null,
  };
}

function recoveryRow({ cause, ...payment }: Payment): Record<string, unknown> {
  return {
    of: cause.by === 'recovery' ? cause.of : null,
    imp_uid: payment.impUid,
    merchant_uid: payment.merchantUid,
    customer_uid: payment.customerUid,
    status: payment.status,
  };
}

/** Captures and cancels in the order in which they happened; amounts in minor units of the currency. */
function ledgerPage(core: Core, query: Fields): { data: unknown[]; next_cursor: string | null } {
  const { movements } = core.state;
  const limit = wholeNumber(query, 'limit', { fallback: 1_000, min: 1, max: 1_000 });
  const start = wholeNumber(query, 'cursor', { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER });
  const end = start + limit;
  return {
    data: movements.slice(start, end).map((movement) => movementRow(core, movement)),
    next_cursor: end < movements.length ? String(end) : null,
  };
}

function movementRow(core: Core, movement: Movement): Record<string, unknown> {
  const payment = core.state.payments.get(movement.impUid);
  return {
    imp_uid: movement.impUid,
    merchant_uid: payment?.merchantUid,
    customer_uid: payment?.customerUid,
    amount: movement.minor,
    currency: payment?.currency,
    status: movement.status,
    captured_at: instant(movement.capturedAtMs),
    cancelled_at: movement.cancelledAtMs === null ? null : instant(movement.cancelledAtMs),
    custom_data: payment?.customData,
  };
}

/** All of them or none: a bad entry is named and nothing is stored. */
function storeCards(core: Core, entries: readonly unknown[]): { data: unknown[]; next_cursor: null } {
  const wishes = entries.map(readWish);
  for (const { customerUid, testCard } of wishes) storeTestCard(core, customerUid, testCard);
  const data = wishes.map(({ customerUid, testCard }) => ({ customer_uid: customerUid, card: testCard.name }));
  return { data, next_cursor: null };
}

function readWish(entry: unknown, index: number): Wish {
  const fields = fieldsOf(entry);
  const customerUid = optionalText(fields, 'customer_uid');
  if (customerUid === null || customerUid.length > 80) {
    throw invalid(`cards[${index}]: customer_uid '${customerUid ?? ''}' is not 1 to 80 characters`);
  }
  const wanted = optionalText(fields, 'card') ?? '';
  const testCard = findTestCard(wanted);
  if (testCard !== null) return { customerUid, testCard };
  const names = TEST_CARDS.map(({ name }) => name).join(', ');
  throw invalid(`cards[${index}] (${customerUid}): '${wanted}' is not a test card; use one of ${names}`);
}

function targetOf(core: Core, fields: Fields): number {
  if (fields.advance_ms !== undefined) {
    return core.time.nowMs() + wholeNumber(fields, 'advance_ms', { fallback: 0, min: 0, max: FAR_MS });
  }
  const now = requiredText(fields, 'now');
  const nowMs = INSTANT.test(now) ? Date.parse(now) : Number.NaN;
  if (Number.isNaN(nowMs)) throw invalid(`now '${now}' is not an instant such as 2027-01-31T01:00:00Z`);
  return nowMs;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/** ISO 8601 with an offset: without one it would mean whatever zone this host is in. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const FAR_MS = 1_000 * 366 * 86_400_000;
