import type { FastifyInstance, FastifyRequest } from 'fastify';
import { paymentAnnotation } from '../annotations.ts';
import { cancelPayment } from '../cancelling.ts';
import type { Core } from '../core.ts';
import type { Payment } from '../entry.ts';
import { type Envelope, Refusal, success } from '../envelope.ts';
import { arranged, isBlurred, seen } from '../faults/sight.ts';
import { fieldsOf, invalid, optionalText, texts } from '../fields.ts';
import { pageOf, paidOnPage2, readStatus, sorted, windowOf, withinWindow, withStatus } from '../listing.ts';
import { paymentsOf } from '../state.ts';

type ByUid = { Params: { uid: string; status?: string } };
type ByStatus = { Params: { status: string } };

/** Reading and cancelling payments, and the "not found" of what the sandbox never holds. */
export function registerPaymentRoutes(app: FastifyInstance, core: Core): void {
  app.get<ByUid>('/payments/:uid', (request) => success(shown(core, findOne(core, request))));
  app.get('/payments', (request, reply) => {
    const { found, isPartial } = findMany(core, request);
    return reply.code(isPartial ? 207 : 200).send(success(found.map((payment) => shown(core, payment))));
  });
  app.get<ByUid>('/payments/find/:uid/:status?', (request) => {
    const [payment] = findUnder(core, request);
    if (payment === undefined) throw notFound();
    return success(shown(core, payment));
  });
  app.get<ByUid>('/payments/findAll/:uid/:status?', (request) => {
    const payments = findUnder(core, request);
    // Another account's list is empty, not missing: that is what makes it dangerous.
    if (payments.length === 0 && core.faults.hitOn(request)?.what !== 'other_account') throw notFound();
    return page(core, payments, request);
  });
  app.get<ByStatus>('/payments/status/:status', (request) => page(core, findRecent(core, request), request));
  app.post('/payments/cancel', (request) => {
    const fields = fieldsOf(request.body);
    const payment = cancelPayment(core, fields);
    const id = payment.cancels.at(-1)?.cancellationId;
    if (isTrue(fields.enable_webhook) && id !== undefined) {
      // To the address in the console alone (fact sheet §3.6).
      core.webhooks.tell(core, { ...payment, noticeUrl: null }, { status: 'cancelled', cancellation_id: id });
    }
    return success(shown(core, payment));
  });
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
function findOne(core: Core, request: FastifyRequest<ByUid>): Payment {
  const isHidden = !core.modes.liveChannel && optionalText(fieldsOf(request.query), 'include_sandbox') !== 'true';
  const payment = isHidden ? undefined : byImpUid(core, request, request.params.uid);
  if (payment === undefined) throw notFound();
  return payment;
}

function findMany(core: Core, request: FastifyRequest): { found: readonly Payment[]; isPartial: boolean } {
  const query = fieldsOf(request.query);
  const impUids = texts(query, 'imp_uid');
  const merchantUids = texts(query, 'merchant_uid');
  if (impUids.length + merchantUids.length > 100) throw invalid('한 번에 100건까지 조회할 수 있습니다.');
  const each = [
    ...impUids.map((uid) => byImpUid(core, request, uid)),
    ...merchantUids.map((uid) => sorted(visible(core, request, paymentsOf(core.state, uid)), {})[0]),
  ];
  const found = [...new Set(each.filter((payment) => payment !== undefined))];
  if (found.length === 0) throw notFound();
  return { found, isPartial: each.includes(undefined) };
}

function byImpUid(core: Core, request: FastifyRequest, impUid: string): Payment | undefined {
  const payment = core.state.payments.get(impUid);
  return payment === undefined ? undefined : visible(core, request, [payment])[0];
}

function findUnder(core: Core, request: FastifyRequest<ByUid>): readonly Payment[] {
  const { uid, status } = request.params;
  const payments = visible(core, request, paymentsOf(core.state, uid));
  const kept = withStatus(payments, status === undefined || status === '' ? 'all' : readStatus(status));
  return arranged(core.faults.hitOn(request), sorted(kept, fieldsOf(request.query)));
}

function findRecent(core: Core, request: FastifyRequest<ByStatus>): readonly Payment[] {
  const query = fieldsOf(request.query);
  const hit = core.faults.hitOn(request);
  const status = readStatus(request.params.status);
  const window = windowOf(query, Math.floor(core.time.nowMs() / 1_000));
  const { timeline, payments } = core.state;
  if (isBlurred(hit)) {
    const all = withStatus(visible(core, request, [...payments.values()]), status);
    return sorted(withinWindow(all, status, window), query);
  }
  const name = [status, window.fromMs, window.untilMs, query.sorting].join();
  const recent = timeline.list(name, () => {
    const impUids = timeline.within(status, window.fromMs, window.untilMs);
    return sorted(
      impUids.flatMap((impUid) => payments.get(impUid) ?? []),
      query,
    );
  });
  return arranged(hit, recent);
}

function visible(core: Core, request: FastifyRequest, payments: readonly Payment[]): readonly Payment[] {
  return seen(core, core.faults.hitOn(request), payments);
}

function page(core: Core, payments: readonly Payment[], request: FastifyRequest): Envelope {
  const query = fieldsOf(request.query);
  const isOdd = core.faults.hitOn(request)?.what === 'page_2_only';
  const { list, ...rest } = isOdd ? paidOnPage2(payments, query) : pageOf(payments, query);
  return success({ ...rest, list: list.map((payment) => shown(core, payment)) });
}

function shown(core: Core, payment: Payment): Record<string, unknown> {
  return paymentAnnotation(payment, !core.modes.liveChannel);
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function notFound(): Refusal {
  return new Refusal(404, -1, '존재하지 않는 결제정보입니다.');
}
