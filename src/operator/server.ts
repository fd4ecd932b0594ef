import type { Server } from 'node:http';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import { eventRoutes } from './api/events.ts';
import { invoiceRoutes } from './api/invoices.ts';
import { type NewSubscriptionDeps, newSubscriptionRoute } from './api/new-subscription.ts';
import { planChangeRoute } from './api/plan-change.ts';
import { subscriptionOrderRoutes } from './api/subscription-orders.ts';
import { subscriptionRoutes } from './api/subscriptions.ts';
import { type BoardQueue, registerBoard } from './board.ts';
import { installGuard } from './guard.ts';
import { registerHeaders } from './headers.ts';
import { healthRoutes, type ReadinessReport } from './health.ts';
import { styleRoute } from './html.ts';
import { hasSession, loginRoutes } from './login.ts';
import type { OrderDeps } from './order-subscription.ts';
import { overviewRoute } from './overview.ts';
import { answerErrors, type ReportError, sendProblem } from './problem.ts';
import type { ReplayDeps } from './replay-events.ts';
import { secretCheck } from './secrets.ts';

export type ConsoleDeps = OrderDeps &
  NewSubscriptionDeps &
  ReplayDeps & {
    readonly apiToken: string;
    readonly operatorPassword: string;
    /** What Bull Board shows. */
    readonly queues: readonly BoardQueue[];
    /** Adds the routes of the gateway's webhooks. */
    readonly webhooks?: (app: FastifyInstance) => Promise<void>;
    readonly readiness: () => Promise<ReadinessReport>;
    readonly report: ReportError;
  };

export type Console = { readonly url: string; close(): Promise<void> };

/**
 * Serves health, API, login, overview and Bull Board. Rejects with `code` EADDRINUSE when the port is taken, and when
 * the token or the password is empty. `close` finishes the requests in hand; twice is fine.
 */
export async function startConsole(deps: ConsoleDeps, at: { host: string; port: number }): Promise<Console> {
  const app = await buildConsole(deps, at.host);
  try {
    const url = await app.listen(at);
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The console without a socket. `host` is the address that it will be bound to. */
export async function buildConsole(deps: ConsoleDeps, host: string): Promise<FastifyInstance> {
  const isApiToken = secretCheck(deps.apiToken, 'MAEDAL_API_TOKEN');
  const isPassword = secretCheck(deps.operatorPassword, 'MAEDAL_OPERATOR_PASSWORD');
  const { db, report } = deps;
  const login = { db, isPassword };

  const app = Fastify(LIMITS);
  answerErrors(app, report);
  app.removeContentTypeParser('text/plain'); // what another site's form can send without asking
  acceptEmptyJson(app);
  await app.register(cookie);
  await app.register(formbody, { bodyLimit: LIMITS.bodyLimit });
  await registerHeaders(app);
  installGuard(app, {
    isApiToken,
    hasSession: (request) => hasSession(request, login),
    host,
  });
  healthRoutes(app, { readiness: deps.readiness, isApiToken });
  styleRoute(app);
  loginRoutes(app, login);
  overviewRoute(app, db);
  subscriptionRoutes(app, db);
  newSubscriptionRoute(app, deps);
  subscriptionOrderRoutes(app, deps);
  planChangeRoute(app, deps);
  invoiceRoutes(app, db);
  eventRoutes(app, deps);
  await deps.webhooks?.(app);
  await registerBoard(app, deps.queues, report);
  return app;
}

/** A client that always says `application/json` may have nothing to say. Else as Fastify reads JSON by itself. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    return body === '' ? done(null, undefined) : parse(request, String(body), done);
  });
}

/** Nobody may hold a connection, a request or a body longer or larger than this. */
const LIMITS: FastifyHttpOptions<Server> & { bodyLimit: number } = {
  logger: false,
  trustProxy: false,
  bodyLimit: 64 * 1024,
  connectionTimeout: 60_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  http: { headersTimeout: 10_000 },
  forceCloseConnections: 'idle',
  routerOptions: { maxParamLength: 1_024 },
  frameworkErrors: (error, _request, reply) => sendProblem(reply, error.statusCode ?? 400),
};
