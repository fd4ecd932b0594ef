import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance } from 'fastify';
import qs from 'qs';
import type { Core } from './core.ts';
import { failure, Refusal } from './envelope.ts';
import { damageAnswers } from './faults/damage.ts';
import { strikeRequests } from './faults/strike.ts';
import { logAnswers, logArrivals } from './request-log.ts';
import { registerTokenRoute, requireToken } from './routes/auth.ts';
import { registerChargeRoutes } from './routes/charges.ts';
import { registerControlRoutes } from './routes/control.ts';
import { registerCustomerRoutes } from './routes/customers.ts';
import { registerFaultRoutes } from './routes/faults.ts';
import { registerPaymentRoutes } from './routes/payments.ts';
import { registerScheduleRoutes } from './routes/schedules.ts';
import { registerConsoleRoutes } from './routes/webhooks.ts';

/** The sandbox's HTTP face, not listening yet. */
export function buildHttp(core: Core): FastifyInstance {
  const app = Fastify({
    forceCloseConnections: true, // callers of `hang` never leave by themselves
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_000, querystringParser: parseForm },
  });
  app.register(formbody, { parser: parseForm });
  acceptEmptyJson(app);
  answerFailuresInEnvelopes(app);
  damageAnswers(app, core);
  logAnswers(app, core);
  answerOnlyWhatIsDurable(app, core);
  registerControlRoutes(app, core);
  registerFaultRoutes(app, core);
  registerConsoleRoutes(app, core);
  app.register(async (tokens) => {
    strikeRequests(tokens, core);
    registerTokenRoute(tokens, core);
  });
  app.register(async (api) => {
    logArrivals(api, core);
    strikeRequests(api, core);
    requireToken(api, core);
    registerChargeRoutes(api, core);
    registerCustomerRoutes(api, core);
    registerPaymentRoutes(api, core);
    registerScheduleRoutes(api, core);
  });
  return app;
}

/** Nested names (`extra[naverUseCfm]`, `customer_uid[]`), up to the hundred ids of one query. */
function parseForm(text: string): Record<string, unknown> {
  return qs.parse(text, { arrayLimit: 1_000 });
}

/** Clients send `content-type: application/json` with a DELETE and no body. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else parse(request, body, done);
  });
}

function answerFailuresInEnvelopes(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof Refusal) return reply.code(error.status).send(failure(error.code, error.message));
    const message = error instanceof Error ? error.message : String(error);
    const status = hasStatus(error) && error.statusCode < 500 ? error.statusCode : 500;
    return reply.code(status).send(failure(-1, message));
  });
  app.setNotFoundHandler((request, reply) => {
    return reply.code(404).send(failure(-1, `${request.method} ${request.url}: 존재하지 않는 API입니다.`));
  });
}

/** No answer, not even one to a question, tells of something that a power cut could still undo. */
function answerOnlyWhatIsDurable(app: FastifyInstance, core: Core): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    core.ledger.synced().then(
      () => done(null, payload),
      (error) => {
        reply.hijack();
        reply.raw.writeHead(500, { 'content-type': 'application/json; charset=utf-8' });
        reply.raw.end(JSON.stringify(failure(-1, `the sandbox cannot write its ledger: ${String(error)}`)));
      },
    );
  });
}

function hasStatus(error: unknown): error is { readonly statusCode: number } {
  return typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number';
}
