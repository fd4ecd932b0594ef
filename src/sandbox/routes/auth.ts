import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Core } from '../core.ts';
import { failure, Refusal, success } from '../envelope.ts';
import { fieldsOf, optionalText } from '../fields.ts';

/** `POST /users/getToken`. */
export function registerTokenRoute(app: FastifyInstance, core: Core): void {
  app.post('/users/getToken', (request) => {
    const fields = fieldsOf(request.body);
    const key = optionalText(fields, 'imp_key');
    const secret = optionalText(fields, 'imp_secret');
    if (key === null || secret === null) {
      const message = 'imp_key, imp_secret 파라메터가 누락되었습니다.';
      throw new Refusal(core.modes.missingCredentialsStatus, -1, message);
    }
    const hit = core.faults.hitOn(request);
    const now = nowSeconds(core);
    const token = hit?.what === 'same_token' ? core.tokens.last(key, secret, now) : core.tokens.issue(key, secret, now);
    if (token === null) throw new Refusal(401, -1, '인증에 실패하였습니다. API키와 secret을 확인하세요.');
    if (hit?.what === 'expired_early') {
      core.tokens.endAt(token.access_token, Math.floor((core.time.nowMs() + hit.param('after_ms')) / 1_000));
    }
    return success(token);
  });
}

/** Answers 401 to every call under this instance that brings no valid token. Only then: what arrived is logged before. */
export function requireToken(app: FastifyInstance, core: Core): void {
  app.addHook('preHandler', (request, reply, done) => {
    const token = tokenOf(request, core);
    if (token !== null && core.tokens.isValid(token, nowSeconds(core))) return done();
    reply.code(401).send(failure(-1, 'access_token이 없거나 유효하지 않습니다.'));
  });
}

/** Clients send the token as it is or after `Bearer `; old ones in a header of its own. */
function tokenOf(request: FastifyRequest, core: Core): string | null {
  const legacy = request.headers['x-imptokenheader'];
  const header = request.headers.authorization ?? (core.modes.legacyTokenHeader ? legacy : undefined);
  return typeof header === 'string' ? header.replace(/^Bearer\s+/i, '').trim() : null;
}

function nowSeconds(core: Core): number {
  return Math.floor(core.time.nowMs() / 1_000);
}
