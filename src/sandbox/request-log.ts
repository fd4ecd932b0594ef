import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fromMajor } from '../billing/money.ts';
import { type Core, record } from './core.ts';
import type { Entry } from './entry.ts';
import { customDataOf, type Fields, fieldsOf, optionalText } from './fields.ts';
import { paymentsOf } from './state.ts';

type Arrival = Extract<Entry, { kind: 'request' }>;
type End = Omit<Extract<Entry, { kind: 'request-ended' }>, 'kind' | 'serial' | 'hostMs' | 'sandboxMs'>;

/** Has every charge and cancel under this instance written down before anything looks at it, its token included. */
export function logArrivals(api: FastifyInstance, core: Core): void {
  api.addHook('preHandler', (request, reply, done) => {
    const route = ROUTES.get(`${request.method} ${request.routeOptions.url}`);
    if (route !== undefined) arrive(core, route, request, reply);
    done();
  });
}

/** Has what is answered to them written down before it is sent. */
export function logAnswers(app: FastifyInstance, core: Core): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const serial = serials.get(request);
    if (serial !== undefined) {
      const how = { how: 'answered', httpStatus: reply.statusCode, fault: faultOn(core, request) } as const;
      end(core, serial, { ...paymentIn(payload), ...how });
    }
    done(null, payload);
  });
}

/** The number under which a request was written down; null for those that are not. */
export function serialOf(request: FastifyRequest): number | null {
  return serials.get(request) ?? null;
}

/** Requests that were in flight when the sandbox died have ended by now. */
export function endOpenRequests(core: Core): void {
  for (const serial of core.state.openRequests) end(core, serial, cut(null));
}

function arrive(core: Core, route: Arrival['route'], request: FastifyRequest, reply: FastifyReply): void {
  const serial = core.state.lastRequest + 1;
  serials.set(request, serial);
  record(core, { kind: 'request', serial, route, ...instants(core), ...asked(core, route, fieldsOf(request.body)) });
  reply.raw.once('close', () => end(core, serial, cut(faultOn(core, request))));
}

type Asked = Pick<Arrival, 'merchantUid' | 'customerUid' | 'impUid' | 'minor' | 'currency' | 'customData'>;

function asked(core: Core, route: Arrival['route'], fields: Fields): Asked {
  const merchantUid = optionalText(fields, 'merchant_uid');
  const impUid = optionalText(fields, 'imp_uid');
  const cancelled = core.state.payments.get(impUid ?? '') ?? paymentsOf(core.state, merchantUid ?? '')[0];
  const currency = (route === 'cancel' ? cancelled?.currency : optionalText(fields, 'currency')) ?? 'KRW';
  const amount = optionalText(fields, 'amount');
  const minor = amount === null ? null : (fromMajor(Number(amount), currency)?.minor ?? null);
  return {
    merchantUid,
    customerUid: optionalText(fields, 'customer_uid'),
    impUid,
    minor,
    currency: minor === null ? null : currency,
    customData: customDataOf(fields),
  };
}

/** A request ends once: answered, or else by the end of its connection. */
function end(core: Core, serial: number, how: End): void {
  if (core.state.openRequests.has(serial)) record(core, { kind: 'request-ended', serial, ...instants(core), ...how });
}

function faultOn(core: Core, request: FastifyRequest): string | null {
  return core.faults.hitOn(request)?.what ?? null;
}

function cut(fault: string | null): End {
  return { how: 'cut', httpStatus: null, code: null, status: null, impUid: null, fault };
}

function paymentIn(payload: unknown): Pick<End, 'code' | 'status' | 'impUid'> {
  const envelope = fieldsOf(parsed(payload));
  const response = fieldsOf(envelope.response);
  const code = typeof envelope.code === 'number' ? envelope.code : null;
  return { code, status: optionalText(response, 'status'), impUid: optionalText(response, 'imp_uid') };
}

function parsed(payload: unknown): unknown {
  try {
    return typeof payload === 'string' ? JSON.parse(payload) : null;
  } catch {
    return null; // a page, or half an answer
  }
}

function instants(core: Core): Pick<Arrival, 'hostMs' | 'sandboxMs'> {
  return { hostMs: Math.floor(core.time.hostMs()), sandboxMs: Math.floor(core.time.nowMs()) };
}

const serials = new WeakMap<FastifyRequest, number>();
const ROUTES: ReadonlyMap<string, Arrival['route']> = new Map([
  ['POST /subscribe/payments/again', 'again'],
  ['POST /subscribe/payments/onetime', 'onetime'],
  ['POST /payments/cancel', 'cancel'],
]);
