import type { FastifyInstance, FastifyRequest } from 'fastify';
import { customerAnnotation, paymentAnnotation, superKeyAnnotation } from '../annotations.ts';
import { type Core, record } from '../core.ts';
import type { Key } from '../entry.ts';
import { type Envelope, Refusal, success } from '../envelope.ts';
import { arranged, seen } from '../faults/sight.ts';
import { fieldsOf, invalid, optionalText, texts } from '../fields.ts';
import { readKey, storeKey } from '../keys.ts';
import { pageOf, sorted } from '../listing.ts';
import { paymentsOfCustomer } from '../state.ts';

type ByUid = { Params: { customer_uid: string } };

/** Stored cards: issue, read one and many, delete, and the payments made with one. */
export function registerCustomerRoutes(app: FastifyInstance, core: Core): void {
  app.post<ByUid>('/subscribe/customers/:customer_uid', (request) => {
    const { customer_uid } = request.params;
    if (customer_uid.length > 80) throw invalid('customer_uid 값은 80자 이하여야 합니다.');
    return success(shown(core, storeKey(core, readKey(core, customer_uid, fieldsOf(request.body)))));
  });
  app.get<ByUid>('/subscribe/customers/:customer_uid', ({ params }) => success(shown(core, find(core, params))));
  app.delete<ByUid>('/subscribe/customers/:customer_uid', (request) => {
    const key = find(core, request.params);
    const reason = optionalText({ ...fieldsOf(request.body), ...fieldsOf(request.query) }, 'reason');
    if (key.pgProvider === 'naverpay' && reason === null) {
      throw new Refusal(200, -1, 'reason 파라메터가 누락되었습니다.');
    }
    record(core, { kind: 'key-deleted', customerUid: key.customerUid });
    return success(shown(core, key));
  });
  app.get('/subscribe/customers', (request, reply) => {
    const asked = texts(fieldsOf(request.query), 'customer_uid');
    const found = [...new Set(asked)].flatMap((uid) => core.state.keys.get(uid) ?? []);
    if (found.length === 0) throw new Refusal(404, -1, notFound(asked.join(',')));
    reply.code(found.length < new Set(asked).size ? 207 : 200);
    return reply.send(success(found.map((key) => shown(core, key))));
  });
  app.get<ByUid>('/subscribe/customers/:customer_uid/payments', (request) => paymentsPage(core, request));
}

function paymentsPage(core: Core, request: FastifyRequest<ByUid>): Envelope {
  const hit = core.faults.hitOn(request);
  const payments = seen(core, hit, paymentsOfCustomer(core.state, request.params.customer_uid));
  if (payments.length === 0) find(core, request.params); // a deleted key's payments can still be read
  const { page } = fieldsOf(request.query);
  const { list, ...rest } = pageOf(arranged(hit, sorted(payments, {})), { page });
  return success({ ...rest, list: list.map((payment) => paymentAnnotation(payment, !core.modes.liveChannel)) });
}

function shown(core: Core, key: Key): Record<string, unknown> {
  return key.channelGroupId === null ? customerAnnotation(key, !core.modes.liveChannel) : superKeyAnnotation(key);
}

function find(core: Core, { customer_uid }: ByUid['Params']): Key {
  const key = core.state.keys.get(customer_uid);
  if (key === undefined) throw new Refusal(core.modes.unknownCustomerStatus, 1, notFound(customer_uid));
  return key;
}

function notFound(customerUid: string): string {
  return `요청하신 customer_uid(${customerUid})로 등록된 정보를 찾을 수 없습니다.`;
}
