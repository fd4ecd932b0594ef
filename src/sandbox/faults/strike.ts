import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Core } from '../core.ts';
import { failure, PAGE_502 } from '../envelope.ts';
import type { FaultName } from './catalogue.ts';
import type { Hit } from './faults.ts';
import { subjectOf } from './subject.ts';

/** Has the faults asked about every request under this instance, and those act that leave nothing else to be done. */
export function strikeRequests(api: FastifyInstance, core: Core): void {
  api.addHook('onRequest', (request, reply, done) => {
    const hit = strike(core, request, false);
    if (hit === null) done();
    else leaveUnread(core, hit, reply);
  });
  api.addHook('preHandler', (request, reply, done) => {
    const hit = strike(core, request, true);
    if (hit?.what === 'slow') core.time.pass(hit.param('ms')).then(() => done(), done);
    else if (hit === null || !insteadOfServing(core, hit, request, reply)) done();
  });
}

function strike(core: Core, request: FastifyRequest, isRead: boolean): Hit | null {
  if (core.faults.isEmpty) return null;
  return core.faults.strike(request, subjectOf(core, request), { isRead, nowMs: core.time.nowMs() });
}

/** The end of a paused connection would never be noticed, so it has a bound. */
function leaveUnread(core: Core, hit: Hit, reply: FastifyReply): void {
  const { socket } = reply.raw;
  reply.hijack();
  socket?.pause();
  core.time.at(core.time.nowMs() + hit.param('for_ms'), () => socket?.destroy());
}

/** Whether the fault has seen to the request, which then goes no further. */
function insteadOfServing(core: Core, hit: Hit, request: FastifyRequest, reply: FastifyReply): boolean {
  if (SILENT.has(hit.what)) {
    reply.hijack();
    core.ledger.synced().then(
      () => cutConnection(reply, hit.what),
      () => reply.raw.socket?.destroy(),
    );
    return true;
  }
  const status = REFUSALS.get(hit.what);
  if (hit.what === 'not_found') sendNotFound(core, request, reply);
  else if (status === undefined) return false;
  else sendRefusal(reply, status, hit);
  return true;
}

/** Ends a connection without an answer: by a TCP reset or in peace, or not at all for faults that hang. */
export function cutConnection(reply: FastifyReply, what: FaultName): void {
  if (what.endsWith('hang')) return;
  if (what.endsWith('rst') || what === 'outage') reply.raw.socket?.resetAndDestroy();
  else reply.raw.socket?.destroy();
}

function sendRefusal(reply: FastifyReply, status: number, hit: Hit): void {
  if (hit.what === 'too_many_requests_retry_after') reply.header('retry-after', String(hit.param('retry_after_s')));
  if (status === 502) reply.code(status).type('text/html; charset=utf-8').send(PAGE_502);
  else reply.code(status).send(failure(-1, MESSAGES.get(status) ?? ''));
}

/** Payments and schedules answer 404; a customer_uid as the modes say. */
function sendNotFound(core: Core, request: FastifyRequest, reply: FastifyReply): void {
  if (subjectOf(core, request).on === 'look_up') reply.code(404).send(failure(-1, '존재하지 않는 결제정보입니다.'));
  else reply.code(core.modes.unknownCustomerStatus).send(failure(1, '등록된 정보를 찾을 수 없습니다.'));
}

const SILENT: ReadonlySet<FaultName> = new Set(['reset', 'rst', 'hang', 'outage']);
const REFUSALS: ReadonlyMap<FaultName, number> = new Map([
  ['error_500', 500],
  ['page_502', 502],
  ['too_many_requests', 429],
  ['too_many_requests_retry_after', 429],
  ['unauthorized', 401],
  ['unauthorized_storm', 401],
]);
const MESSAGES: ReadonlyMap<number, string> = new Map([
  [401, 'access_token이 없거나 유효하지 않습니다.'],
  [429, '요청이 너무 많습니다.'],
  [500, '서버 내부 오류가 발생하였습니다.'],
]);
