import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Money } from '../../billing/money.ts';
import { paymentAnnotation } from '../annotations.ts';
import { type ChargeAsk, charge, type Ending, refusal } from '../charging.ts';
import type { Core } from '../core.ts';
import { failure, success } from '../envelope.ts';
import { detourOf } from '../faults/course.ts';
import {
  customDataOf,
  type Fields,
  fieldsOf,
  invalid,
  optionalAmount,
  optionalText,
  personOf,
  requiredText,
  wholeNumber,
} from '../fields.ts';
import { cardDataOf, channelOf, storeKey } from '../keys.ts';
import { serialOf } from '../request-log.ts';

/** `again` and `onetime`. */
export function registerChargeRoutes(app: FastifyInstance, core: Core): void {
  app.post('/subscribe/payments/again', async (request, reply) => send(core, reply, await again(core, request)));
  app.post('/subscribe/payments/onetime', async (request, reply) => send(core, reply, await onetime(core, request)));
}

async function again(core: Core, request: FastifyRequest): Promise<Ending> {
  const fields = fieldsOf(request.body);
  const customerUid = requiredText(fields, 'customer_uid', 80);
  const common = readCommon(core, request, fields);
  const key = core.state.keys.get(customerUid);
  if (key === undefined) return refusal('등록되지 않은 구매자입니다.', core.modes.unknownBuyerCode);
  const { card, pgProvider, pgId } = key;
  if (UNSUPPORTED.has(pgProvider)) return refusal('비인증 결제를 지원하지 않는 PG사입니다.');
  if (pgProvider === 'smartro_v2' && !/^[A-Za-z0-9]+$/.test(common.merchantUid)) {
    return refusal('merchant_uid는 영문과 숫자만 사용할 수 있습니다.');
  }
  return charge(core, { ...common, customerUid, usage: 'payment', card, pgProvider, pgId });
}

async function onetime(core: Core, request: FastifyRequest): Promise<Ending> {
  const fields = fieldsOf(request.body);
  const customerUid = optionalText(fields, 'customer_uid', 80);
  const common = readCommon(core, request, fields);
  const cardData = cardDataOf(fields, core.time.nowMs());
  if ('invalid' in cardData) return refusal(`카드정보 인증에 실패하였습니다. ${cardData.invalid}`);
  const { card } = cardData;
  const channel = channelOf(core, fields);
  const usage = customerUid === null ? null : 'issue';
  const ending = await charge(core, { ...common, customerUid, usage, card, ...channel });
  if (customerUid !== null && ending.kind === 'payment' && ending.payment.status !== 'failed') {
    const owner = { customerUid, customerId: optionalText(fields, 'customer_id'), channelGroupId: null };
    storeKey(core, { ...owner, card, customer: common.buyer, ...channel });
  }
  return ending;
}

type Common = Omit<ChargeAsk, 'customerUid' | 'usage' | 'card' | 'pgProvider' | 'pgId'>;

function readCommon(core: Core, request: FastifyRequest, fields: Fields): Common {
  const name = core.modes.nameRequired ? requiredText(fields, 'name', 40) : optionalText(fields, 'name', 40);
  return {
    merchantUid: requiredText(fields, 'merchant_uid', 40),
    amount: readAmount(core, request, fields),
    name,
    buyer: personOf(fields, 'buyer'),
    cardQuota: wholeNumber(fields, 'card_quota', { fallback: 0, min: 0, max: 99 }),
    customData: customDataOf(fields),
    noticeUrl: optionalText(fields, 'notice_url'),
    userAgent: request.headers['user-agent'] ?? null,
    cause: { by: 'request', serial: serialOf(request) },
    atMs: null,
    detour: detourOf(core.faults.hitOn(request)),
  };
}

function readAmount(core: Core, request: FastifyRequest, fields: Fields): Money {
  const isJson = request.headers['content-type']?.startsWith('application/json') ?? false;
  if (core.modes.textAmounts === 'reject' && isJson && typeof fields.amount === 'string') {
    throw invalid('amount 값이 올바르지 않습니다.');
  }
  requiredText(fields, 'amount');
  const amount = optionalAmount(fields, 'amount', optionalText(fields, 'currency') ?? 'KRW');
  if (amount === null) throw invalid('amount 값이 올바르지 않습니다.');
  return amount;
}

/** Answers as the ending says; before anything is written, what the charge left is durable. */
async function send(core: Core, reply: FastifyReply, ending: Ending): Promise<FastifyReply> {
  switch (ending.kind) {
    case 'payment':
      return reply.send(success(paymentAnnotation(ending.payment, !core.modes.liveChannel)));
    case 'refusal':
      return reply.send(failure(ending.code, ending.message));
    case 'envelope-500':
      return reply.code(500).send(failure(-1, '서버 내부 오류가 발생하였습니다.'));
    case 'page-500':
      return reply
        .code(500)
        .type('text/html; charset=utf-8')
        .send('<html><body><h1>500 Internal Server Error</h1></body></html>');
    default:
      reply.hijack();
      await core.ledger.synced();
      leaveUnanswered(reply, ending, core);
      return reply;
  }
}

function leaveUnanswered(reply: FastifyReply, ending: Ending, core: Core): void {
  if (ending.kind === 'drop') reply.raw.socket?.destroy();
  if (ending.kind === 'silence') hold(reply, core);
  if (ending.kind !== 'torn') return;
  const whole = JSON.stringify(success(paymentAnnotation(ending.payment, !core.modes.liveChannel)));
  reply.raw.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  reply.raw.end(whole.slice(0, Math.floor(whole.length / 2)));
}

/** Silence lasts until the caller leaves. */
function hold(reply: FastifyReply, core: Core): void {
  if (reply.raw.destroyed) return;
  core.held(1);
  reply.raw.once('close', () => core.held(-1));
}

/** Payment companies without `again` in V1 (fact sheet §3.1, §12 row 14). */
const UNSUPPORTED: ReadonlySet<string> = new Set(['payletter_global', 'eximbay']);
