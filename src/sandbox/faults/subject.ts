import type { FastifyRequest } from 'fastify';
import type { Core } from '../core.ts';
import type { Payment } from '../entry.ts';
import { type Fields, fieldsOf, optionalText, texts } from '../fields.ts';
import { paymentsOf } from '../state.ts';
import type { Subject } from './faults.ts';

/** What a request is about: as it says itself, else as the payments that it names say. Its body may be unread yet. */
export function subjectOf(core: Core, request: FastifyRequest): Subject {
  const on = placeOf(request);
  const fields = fieldsOf(request.body);
  const params = fieldsOf(request.params);
  const query = fieldsOf(request.query);
  const named = namedPayment(core, [fields, params, query]);
  const inPath = on === 'look_up' ? (optionalText(params, 'uid') ?? optionalText(params, 'merchant_uid')) : null;
  const merchantUid = optionalText(fields, 'merchant_uid') ?? named?.merchantUid ?? inPath;
  const first = named ?? paymentsOf(core.state, merchantUid ?? '')[0];
  const customerUid =
    optionalText(fields, 'customer_uid') ?? optionalText(params, 'customer_uid') ?? first?.customerUid ?? null;
  const card = core.state.keys.get(customerUid ?? '')?.card.name ?? first?.card.name ?? null;
  return { on, merchantUid, customerUid, card };
}

function placeOf({ method, routeOptions }: FastifyRequest): Subject['on'] {
  const url = routeOptions.url ?? '';
  if (url === '/users/getToken') return 'token';
  if (method === 'GET' && /^\/payments|^\/subscribe\/payments|\/(payments|schedules)$/.test(url)) return 'look_up';
  if (url === '/payments/cancel') return 'cancel';
  if (/^\/subscribe\/payments\/(again|onetime)$/.test(url)) return 'again';
  return url.startsWith('/subscribe/customers') ? 'customers' : 'other';
}

function namedPayment({ state }: Core, [fields, params, query]: readonly Fields[]): Payment | undefined {
  const impUids = [
    optionalText(fields ?? {}, 'imp_uid'),
    optionalText(params ?? {}, 'uid'),
    ...texts(query ?? {}, 'imp_uid'),
  ];
  const byImpUid = impUids.map((uid) => state.payments.get(uid ?? '')).find((payment) => payment !== undefined);
  return byImpUid ?? texts(query ?? {}, 'merchant_uid').flatMap((uid) => paymentsOf(state, uid))[0];
}
