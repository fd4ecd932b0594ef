import {
  AGAIN,
  answer,
  CANCEL,
  type FakePortOne,
  GET_TOKEN,
  pageBody,
  payment,
  refuse,
  tokenBody,
} from './fake-portone.ts';

/** Makes a fake keep books like PortOne: `card-1` approves, `card-2` declines, others are unknown. */
export function keepBooks(fake: FakePortOne, secret: string): void {
  const records: Record<string, unknown>[] = [];
  fake.on(GET_TOKEN, (seen, response, socket) => {
    const known = JSON.parse(seen.body).imp_secret === secret;
    const behaviour = known ? answer(tokenBody(1_800)) : refuse(401, '인증에 실패하였습니다.');
    behaviour(seen, response, socket);
  });
  fake.on(AGAIN, (seen, response, socket) => {
    const { customer_uid: customerUid, merchant_uid: uid, amount, custom_data } = JSON.parse(seen.body);
    const outcome = OUTCOMES.get(customerUid);
    const used = records.some((record) => record.merchant_uid === uid && record.status === 'paid');
    if (outcome === undefined) return refuse(200, '등록되지 않은 구매자입니다.')(seen, response, socket);
    if (used) return refuse(200, DUPLICATE)(seen, response, socket);
    const impUid = `imps_${String(records.length).padStart(12, '0')}`;
    const record = payment(uid, { imp_uid: impUid, customer_uid: customerUid, amount, custom_data, ...outcome });
    records.unshift(record);
    answer({ code: 0, message: null, response: record })(seen, response, socket);
  });
  fake.on('/payments/imps_', (seen, response, socket) => {
    const record = records.find(({ imp_uid }) => seen.path === `/payments/${imp_uid}?include_sandbox=true`);
    const found = record === undefined ? MISSING : answer({ code: 0, message: null, response: record });
    found(seen, response, socket);
  });
  fake.on(CANCEL, (seen, response, socket) => {
    const { imp_uid: impUid, amount, checksum, reason } = JSON.parse(seen.body);
    const index = records.findIndex((record) => record.imp_uid === impUid && record.status !== 'failed');
    const known = records[index];
    if (known === undefined) return refuse(200, '취소할 결제건이 존재하지 않습니다.')(seen, response, socket);
    const left = Number(known.amount) - Number(known.cancel_amount);
    if (left !== checksum || amount > left) return refuse(200, 'checksum이 다릅니다.')(seen, response, socket);
    const history = Array.isArray(known.cancel_history) ? known.cancel_history : [];
    const entry = { pg_tid: 'tid', amount, cancelled_at: 1, reason, cancellation_id: `cancellation_${history.length}` };
    const cancel_amount = Number(known.cancel_amount) + amount;
    const record = { ...known, status: 'cancelled', cancel_amount, cancel_history: [...history, entry] };
    records[index] = record;
    answer({ code: 0, message: null, response: record })(seen, response, socket);
  });
  fake.on('/payments/findAll/', (seen, response, socket) => {
    const uid = seen.path.split(/[/?]/)[3];
    const list = records.filter((record) => record.merchant_uid === uid);
    const behaviour = list.length === 0 ? MISSING : answer(pageBody(list, list.length));
    behaviour(seen, response, socket);
  });
  fake.on('/payments/status/', (seen, response, socket) => {
    const url = new URL(seen.path, 'http://fake');
    const [from, to] = [Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))];
    const status = url.pathname.split('/')[3];
    const list = records.filter((record) => record.status === status && isWithin(record, from, to));
    answer(pageBody(list, list.length))(seen, response, socket);
  });
  fake.on('/subscribe/payments/schedule', answer(pageBody([], 0)));
  fake.on('/subscribe/customers/', (seen, response, socket) => {
    const uid = seen.path.split('/')[3] ?? '';
    const unknown = refuse(200, `요청하신 customer_uid(${uid})로 등록된 정보를 찾을 수 없습니다.`);
    const stored = { customer_uid: uid, sandbox: true, pg_provider: 'nice', card_name: 'BC카드', card_number: MASKED };
    const behaviour = OUTCOMES.has(uid) ? answer({ code: 0, message: null, response: stored }) : unknown;
    behaviour(seen, response, socket);
  });
}

function isWithin({ paid_at: paidAt }: Record<string, unknown>, from: number, to: number): boolean {
  return typeof paidAt === 'number' && from <= paidAt && paidAt <= to;
}

/** PortOne's sentence for an id that was paid or cancelled before (fact sheet §2.4). */
export const DUPLICATE = '이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)';
const MISSING = refuse(404, '존재하지 않는 결제정보입니다.');
const MASKED = '95404900****1569';
const OUTCOMES: ReadonlyMap<string, Record<string, unknown>> = new Map([
  ['card-1', { status: 'paid' }],
  ['card-2', { status: 'failed', paid_at: 0, failed_at: 1_800_000_001, fail_reason: '[2116]개인 월 한도금액 초과' }],
]);
