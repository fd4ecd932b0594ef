import { type Card, cardFrom, readCardNumber, type TestCard } from './cards.ts';
import { type Core, record } from './core.ts';
import type { Key } from './entry.ts';
import { Refusal } from './envelope.ts';
import { type Fields, optionalText, personOf, requiredText } from './fields.ts';

/** The channel of a request: `pg` names a payment company, or one of its MIDs as `{pg}.{MID}`. */
type Channel = { readonly pgProvider: string; readonly pgId: string };

/** The card data of a request, as far as it is kept. */
type CardData = { readonly card: Card } | { readonly invalid: string };

/** What storing a key needs besides the instant. */
type KeyDraft = Omit<Key, 'inserted' | 'updated'>;

/** Reads `pg` of a request; the channel of the modes when it names none. */
export function channelOf(core: Core, fields: Fields): Channel {
  const { pgProvider, pgId } = core.modes;
  const [provider = '', ...mid] = (optionalText(fields, 'pg', 80) ?? '').split('.');
  if (provider === '') return { pgProvider, pgId };
  return { pgProvider: provider, pgId: mid.length > 0 ? mid.join('.') : (TEST_MIDS.get(provider) ?? pgId) };
}

/** Test merchant ids of billing channels that have one of their own (fact sheet §12, row 8). */
const TEST_MIDS: ReadonlyMap<string, string> = new Map([['html5_inicis', 'INIBillTst']]);

/** Reads card number and expiry; `invalid` is what the payment company says of a bad one. Throws Refusal (400). */
export function cardDataOf(fields: Fields, nowMs: number): CardData {
  const card = readCardNumber(requiredText(fields, 'card_number'));
  const expiry = requiredText(fields, 'expiry');
  if (card === null) return { invalid: '[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)' };
  return isExpiryAhead(expiry, nowMs) ? { card } : { invalid: '[3021]유효기간 오류' };
}

/** Reads a request to issue a key from card data. Throws Refusal with the payment company's words for bad data (K2). */
export function readKey(core: Core, customerUid: string, fields: Fields): KeyDraft {
  if (core.modes.channelKeyRequired) requiredText(fields, 'channel_key', 55);
  const cardData = cardDataOf(fields, core.time.nowMs());
  if ('invalid' in cardData) {
    throw new Refusal(200, -1, `카드정보 인증 및 빌키 발급에 실패하였습니다. ${cardData.invalid}`);
  }
  return {
    customerUid,
    customerId: optionalText(fields, 'customer_id'),
    channelGroupId: optionalText(fields, 'channel_group_id', 55),
    card: cardData.card,
    customer: personOf(fields, 'customer'),
    ...channelOf(core, fields),
  };
}

/** Stores a key, or points the customer_uid at another card: then `updated` is later than `inserted` (K3). */
export function storeKey(core: Core, draft: KeyDraft): Key {
  const now = Math.floor(core.time.nowMs() / 1_000);
  const before = core.state.keys.get(draft.customerUid);
  const inserted = before?.inserted ?? now;
  const updated = before === undefined ? now : Math.max(now, before.updated + 1);
  const key = { ...draft, inserted, updated };
  record(core, { kind: 'key-stored', key });
  return key;
}

/** Stores a test card under a customer_uid. One that is there already stays as it is, its first charge included. */
export function storeTestCard(core: Core, customerUid: string, testCard: TestCard): void {
  const before = core.state.keys.get(customerUid);
  const card = cardFrom(testCard);
  if (before?.card.masked === card.masked && before.card.name === card.name) return;
  const { pgProvider, pgId } = core.modes;
  const fresh = { customerUid, customerId: null, channelGroupId: null, customer: NOBODY, pgProvider, pgId };
  storeKey(core, { ...fresh, ...before, card });
}

function isExpiryAhead(expiry: string, nowMs: number): boolean {
  const match = /^(\d{4})-?(0[1-9]|1[0-2])$/.exec(expiry);
  if (match === null) return false;
  // Good until the last instant of its month in Korea, nine hours ahead of UTC.
  return Date.UTC(Number(match[1]), Number(match[2])) - KOREA_AHEAD_MS > nowMs;
}

const NOBODY = { name: null, tel: null, email: null, addr: null, postcode: null };
const KOREA_AHEAD_MS = 9 * 3_600_000;
