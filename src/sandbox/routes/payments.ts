import type { FastifyInstance } from 'fastify';
import { paymentAnnotation } from '../annotations.ts';
import { cancelPayment } from '../cancelling.ts';
import type { Core } from '../core.ts';
import type { Payment } from '../entry.ts';
import { type Envelope, Refusal, success } from '../envelope.ts';
import { type Fields, fieldsOf, invalid, optionalText, texts } from '../fields.ts';
import { pageOf, sorted, withinWindow, withStatus } from '../listing.ts';
import { paymentsOf } from '../state.ts';

type ByUid = { Params: { uid: string; status?: string } };
type ByStatus = { Params: { status: string } };

/** Reading and cancelling payments, and the "not found" of what the sandbox never holds. */
export function registerPaymentRoutes(app: FastifyInstance, core: Core): void {
  app.get<ByUid>('/payments/:uid', ({ params, query }) =>
    success(shown(core, findOne(core, params.uid, fieldsOf(query)))),
  );
  app.get('/payments', (request, reply) => {
    const { found, isPartial } = findMany(core, fieldsOf(request.query));
    return reply.code(isPartial ? 207 : 200).send(success(found.map((payment) => shown(core, payment))));
  });
  app.get<ByUid>('/payments/find/:uid/:status?', ({ params, query }) => {
    const [payment] = findUnder(core, params, fieldsOf(query));
    if (payment === undefined) throw notFound();
    return success(shown(core, payment));
  });
  app.get<ByUid>('/payments/findAll/:uid/:status?', ({ params, query }) => {
    const payments = findUnder(core, params, fieldsOf(query));
    if (payments.length === 0) throw notFound();
    return page(core, payments, fieldsOf(query));
  });
  app.get<ByStatus>('/payments/status/:status', ({ params, query }) => {
    const fields = fieldsOf(query);
    const all = withStatus([...core.state.payments.values()], params.status);
    const nowSeconds = Math.floor(core.time.nowMs() / 1_000);
    const recent = withinWindow(all, { status: params.status, query: fields, nowSeconds });
    return page(core, sorted(recent, fields), fields);
  });
  app.post('/payments/cancel', (request) => success(shown(core, cancelPayment(core, fieldsOf(request.body)))));
  app.get('/payments/prepare/:uid', () => {
    throw new Refusal(404, -1, '사전등록된 결제정보가 존재하지 않습니다.');
  });
  app.route({
    method: ['GET', 'DELETE'],
    url: '/certifications/:uid',
    handler: () => {
      throw new Refusal(404, -1, '인증결과가 존재하지 않습니다.');
    },
  });
}

/** Test payments are hidden without `include_sandbox`, here and nowhere else (R2, R3). */
function findOne(core: Core, impUid: string, query: Fields): Payment {
  const payment = core.state.payments.get(impUid);
  const isHidden = !core.modes.liveChannel && optionalText(query, 'include_sandbox') !== 'true';
  if (payment === undefined || isHidden) throw notFound();
  return payment;
}

function findMany(core: Core, query: Fields): { readonly found: readonly Payment[]; readonly isPartial: boolean } {
  const impUids = texts(query, 'imp_uid');
  const merchantUids = texts(query, 'merchant_uid');
  if (impUids.length + merchantUids.length > 100) throw invalid('한 번에 100건까지 조회할 수 있습니다.');
  const each = [
    ...impUids.map((uid) => core.state.payments.get(uid)),
    ...merchantUids.map((uid) => sorted(paymentsOf(core.state, uid), {})[0]),
  ];
  const found = [...new Set(each.filter((payment) => payment !== undefined))];
  if (found.length === 0) throw notFound();
  return { found, isPartial: each.includes(undefined) };
}

function findUnder(core: Core, { uid, status }: ByUid['Params'], query: Fields): readonly Payment[] {
  return sorted(withStatus(paymentsOf(core.state, uid), status === undefined || status === '' ? null : status), query);
}

function page(core: Core, payments: readonly Payment[], query: Fields): Envelope {
  const { list, ...rest } = pageOf(payments, query);
  return success({ ...rest, list: list.map((payment) => shown(core, payment)) });
}

function shown(core: Core, payment: Payment): Record<string, unknown> {
  return paymentAnnotation(payment, !core.modes.liveChannel);
}

function notFound(): Refusal {
  return new Refusal(404, -1, '존재하지 않는 결제정보입니다.');
}
