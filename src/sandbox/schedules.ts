import { chargeAtOnce } from './charging.ts';
import { type Core, DUPLICATE_UID, isUidTaken, record } from './core.ts';
import type { Key, Schedule } from './entry.ts';
import { Refusal } from './envelope.ts';
import {
  customDataOf,
  type Fields,
  fieldsOf,
  invalid,
  optionalAmount,
  optionalText,
  personOf,
  requiredText,
  texts,
  wholeNumber,
} from './fields.ts';
import { readKey, storeKey } from './keys.ts';

/** Books the charges of a request: all of them or, throwing Refusal, none (S1 to S4). */
export function bookSchedules(core: Core, fields: Fields): readonly Schedule[] {
  const customerUid = requiredText(fields, 'customer_uid', 80);
  const items = Object.values(Object(fields.schedules)).map(fieldsOf);
  if (items.length === 0) throw invalid('schedules 파라메터가 누락되었습니다.');
  const stored = core.state.keys.get(customerUid);
  const hasCard = optionalText(fields, 'card_number') !== null;
  if (stored === undefined && !hasCard) throw new Refusal(200, 1, '등록된 고객정보가 없습니다.');
  const draft = stored ?? { ...readKey(core, customerUid, fields), inserted: 0, updated: 0 };
  const schedules = items.map((item) => readSchedule(item, draft));
  const uids = schedules.map(({ merchantUid }) => merchantUid);
  const taken = uids.find((uid, index) => {
    return uids.indexOf(uid) !== index || core.state.schedules.has(uid) || isUidTaken(core, uid);
  });
  if (taken !== undefined) throw new Refusal(200, 1, `이미 등록된 merchant_uid입니다. (${taken})`);
  if (stored === undefined) storeKey(core, draft);
  for (const schedule of schedules) {
    record(core, { kind: 'schedule', schedule });
    awaitSchedule(core, schedule);
  }
  return schedules;
}

/** Revokes what is still to come: of a customer_uid, or under merchant_uids. Throws Refusal when there is nothing (S7 to S9). */
export function revokeSchedules(core: Core, fields: Fields): readonly Schedule[] {
  const customerUid = optionalText(fields, 'customer_uid');
  const merchantUids = texts(fields, 'merchant_uid');
  const revoked = [...core.state.schedules.values()].filter((schedule) => {
    if (schedule.status !== 'scheduled') return false;
    if (merchantUids.length > 0 && !merchantUids.includes(schedule.merchantUid)) return false;
    return customerUid === null ? merchantUids.length > 0 : schedule.customerUid === customerUid;
  });
  if (revoked.length === 0) throw new Refusal(200, 1, '취소할 예약결제 기록이 존재하지 않습니다.');
  return revoked.map((pending) => {
    const schedule = { ...pending, status: 'revoked', revokedAtMs: core.time.nowMs() } as const;
    record(core, { kind: 'schedule', schedule });
    return schedule;
  });
}

/** Has a schedule that is still to come charge when it is due. */
export function awaitSchedule(core: Core, { merchantUid, scheduleAtMs, status }: Schedule): void {
  if (status === 'scheduled') core.time.at(scheduleAtMs, (dueMs) => execute(core, merchantUid, dueMs));
}

/** Charges the key as `again` would; nobody hears of it but by webhook or look-up. */
function execute(core: Core, merchantUid: string, atMs: number): void {
  const schedule = core.state.schedules.get(merchantUid);
  if (schedule?.status !== 'scheduled') return;
  const failReason = chargeDue(core, schedule, atMs);
  if (core.state.schedules.get(merchantUid)?.status !== 'scheduled') return; // its payment says that it ran
  const executed = { ...schedule, status: 'executed', executedAtMs: atMs, failReason } as const;
  record(core, { kind: 'schedule', schedule: executed });
}

/** Why there is no payment, should there be none. */
function chargeDue(core: Core, schedule: Schedule, atMs: number): string {
  const key = core.state.keys.get(schedule.customerUid);
  if (key === undefined) return '등록되지 않은 구매자입니다.';
  if (isUidTaken(core, schedule.merchantUid)) return DUPLICATE_UID;
  const { merchantUid, customerUid, minor, currency, name, buyer, cardQuota, customData, noticeUrl } = schedule;
  const ending = chargeAtOnce(core, {
    ...{ merchantUid, customerUid, name, buyer, cardQuota, customData, noticeUrl },
    usage: 'payment.scheduled',
    amount: { minor, currency },
    card: key.card,
    pgProvider: key.pgProvider,
    pgId: key.pgId,
    userAgent: null,
    cause: { by: 'schedule' },
    detour: null,
    atMs,
  });
  return ending.kind === 'refusal' ? ending.message : '결제사의 응답이 없습니다.';
}

/** Buyers that are not named are the key's customer (S16). */
function readSchedule(item: Fields, key: Key): Schedule {
  const currency = optionalText(item, 'currency') ?? 'KRW';
  const amount = optionalAmount(item, 'amount', currency);
  if (amount === null) throw invalid('amount 파라메터가 누락되었습니다.');
  requiredText(item, 'schedule_at');
  const buyer = personOf(item, 'buyer');
  const { customer } = key;
  return {
    customerUid: key.customerUid,
    merchantUid: requiredText(item, 'merchant_uid', 40),
    pgProvider: key.pgProvider,
    pgId: key.pgId,
    customerId: key.customerId,
    scheduleAtMs: wholeNumber(item, 'schedule_at', { fallback: 0, min: 0, max: 253_402_300_799 }) * 1_000,
    ...amount,
    name: optionalText(item, 'name', 40),
    buyer: {
      name: buyer.name ?? customer.name,
      tel: buyer.tel ?? customer.tel,
      email: buyer.email ?? customer.email,
      addr: buyer.addr ?? customer.addr,
      postcode: buyer.postcode ?? customer.postcode,
    },
    cardQuota: wholeNumber(item, 'card_quota', { fallback: 0, min: 0, max: 99 }),
    customData: customDataOf(item),
    noticeUrl: optionalText(item, 'notice_url'),
    status: 'scheduled',
    executedAtMs: null,
    revokedAtMs: null,
    impUid: null,
    failReason: null,
  };
}
