import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Core } from '../core.ts';
import { failure, PAGE_502 } from '../envelope.ts';
import { fieldsOf } from '../fields.ts';
import type { FaultName } from './catalogue.ts';
import type { Hit } from './faults.ts';
import { cutConnection } from './strike.ts';

/** Damages the answers to requests that a fault struck, or loses them; what was done is on disk before that. */
export function damageAnswers(app: FastifyInstance, core: Core): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const hit = core.faults.hitOn(request);
    if (hit === null || typeof payload !== 'string') return done(null, payload);
    const altered = ALTERED.get(hit.what);
    if (altered !== undefined) return done(null, altered({ core, hit, request, reply, payload }));
    const lose = LOST.get(hit.what);
    if (lose === undefined) return done(null, payload);
    reply.hijack();
    core.ledger.synced().then(
      () => lose({ core, hit, request, reply, payload }),
      () => reply.raw.socket?.destroy(),
    );
  });
}

type Answer = {
  readonly core: Core;
  readonly hit: Hit;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly payload: string;
};

function errorInstead({ reply }: Answer): string {
  reply.code(500);
  return JSON.stringify(failure(-1, '서버 내부 오류가 발생하였습니다.'));
}

function pageInstead({ reply }: Answer): string {
  reply.code(502).type('text/html; charset=utf-8');
  return PAGE_502;
}

function halved({ payload }: Answer): string {
  return payload.slice(0, Math.floor(payload.length / 2));
}

function mislabelled({ reply, payload }: Answer): string {
  reply.type('text/plain; charset=utf-8');
  return payload;
}

/** Behind the first answer, whole: whoever reuses the connection may take it for the answer to the next request. */
function doubled({ reply, payload }: Answer): string {
  const { raw } = reply;
  const { socket } = raw; // the answer lets go of it when it is finished
  raw.once('finish', () => socket?.write(wholeAnswer(raw.statusCode, payload)));
  return payload;
}

/** Payments under ids that nobody asked for. */
function ofAnother({ payload }: Answer): string {
  return eachPayment(payload, (payment) => ({
    ...payment,
    merchant_uid: 'another-order',
    imp_uid: 'imps_000000000000',
    custom_data: null,
  }));
}

function tooMuch({ payload, hit }: Answer): string {
  return eachPayment(payload, (payment) => ({ ...payment, amount: Number(payment.amount) + hit.param('by') }));
}

function eachPayment(payload: string, change: (payment: Fields) => unknown): string {
  const envelope = fieldsOf(JSON.parse(payload));
  return JSON.stringify({ ...envelope, response: changedPayments(envelope.response, change) });
}

type Fields = Readonly<Record<string, unknown>>;

/** A payment, a list of them, or a page with one. */
function changedPayments(response: unknown, change: (payment: Fields) => unknown): unknown {
  if (Array.isArray(response)) return response.map((item) => changedPayments(item, change));
  const fields = fieldsOf(response);
  if (Array.isArray(fields.list)) return { ...fields, list: changedPayments(fields.list, change) };
  return fields.merchant_uid === undefined ? response : change(fields);
}

function lost({ hit, reply }: Answer): void {
  cutConnection(reply, hit.what);
}

function halfThenCut({ reply, payload }: Answer): void {
  const body = Buffer.from(payload);
  reply.raw.writeHead(reply.statusCode, headersFor(body));
  reply.raw.write(body.subarray(0, Math.floor(body.length / 2)), () => reply.raw.socket?.destroy());
}

function dripped({ core, hit, reply, payload }: Answer): void {
  const body = Buffer.from(payload);
  reply.raw.writeHead(reply.statusCode, headersFor(body));
  reply.raw.flushHeaders();
  const drip = (index: number, atMs: number) => {
    if (reply.raw.destroyed) return;
    reply.raw.write(body.subarray(index, index + 1));
    if (index + 1 === body.length) reply.raw.end();
    else core.time.at(atMs + hit.param('every_ms'), (dueMs) => drip(index + 1, dueMs));
  };
  drip(0, core.time.nowMs());
}

function headersFor(body: Buffer): OutgoingHttpHeaders {
  return { 'content-type': JSON_TYPE, 'content-length': body.length };
}

function wholeAnswer(status: number, payload: string): string {
  const length = Buffer.byteLength(payload);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, `content-type: ${JSON_TYPE}`];
  return [...head, `content-length: ${length}`, 'connection: keep-alive', '', payload].join('\r\n');
}

const JSON_TYPE = 'application/json; charset=utf-8';
const ALTERED: ReadonlyMap<FaultName, (answer: Answer) => string> = new Map([
  ['done_then_error_500', errorInstead],
  ['done_then_page_502', pageInstead],
  ['done_then_truncated', halved],
  ['done_then_wrong_type', mislabelled],
  ['done_then_twice', doubled],
  ['done_then_other_uid', ofAnother],
  ['wrong_amount', tooMuch],
]);
const LOST: ReadonlyMap<FaultName, (answer: Answer) => void> = new Map([
  ['done_then_hang', lost],
  ['done_then_reset', lost],
  ['done_then_rst', lost],
  ['done_then_cut', halfThenCut],
  ['done_then_drip', dripped],
]);
