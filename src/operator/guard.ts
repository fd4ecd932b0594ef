import type { FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problem.ts';
import type { SecretCheck } from './secrets.ts';

/** Who may enter a route. A route that says nothing is the operator's. */
type Access = 'public' | 'token' | 'session';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Read by @fastify/helmet from where a route's `helmet` option is kept. */
    helmet?: FastifyHelmetOptions;
  }
}

export type GuardDeps = {
  readonly isApiToken: SecretCheck;
  /** Whether the request carries a living session of the operator's. */
  readonly hasSession: (request: FastifyRequest) => Promise<boolean>;
  /** The address that the console is bound to. */
  readonly host: string;
};

/**
 * One guard in front of everything, unknown paths included. It decides by the route that was matched and not by the
 * text of the URL, so no spelling of a path goes around it.
 */
export function installGuard(app: FastifyInstance, deps: GuardDeps): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!isHostOfOurs(request.headers.host, deps.host))
      return sendProblem(
        reply,
        403,
        'this host name is not served: bound to a loopback address, the console answers to localhost alone; for a proxy in front, set MAEDAL_HOST to another address of this machine',
      );
    const access = accessOf(request);
    if (access === 'token') return bearsToken(request, deps.isApiToken) ? undefined : refuseToken(reply);
    if (access === 'session' && !(await deps.hasSession(request))) return refuseSession(request, reply);
    if (isForeign(request, access))
      return sendProblem(reply, 403, 'this request came from another site, or through a proxy that changed `Host`');
    return undefined;
  });
}

/** Whether the request bears `Authorization: Bearer` with the API's token. */
export function bearsToken(request: FastifyRequest, isApiToken: SecretCheck): boolean {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return token !== undefined && isApiToken(token);
}

function accessOf(request: FastifyRequest): Access {
  if (request.is404) return /^\/v1(\/|\?|$)/.test(request.url) ? 'token' : 'session';
  return request.routeOptions.config.access ?? 'session';
}

/** A page of another site can make a browser call this machine under a name of its own (DNS rebinding). */
function isHostOfOurs(header: string | undefined, boundTo: string): boolean {
  if (!LOOPBACK.test(boundTo)) return true;
  const name = (header ?? '').replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  return LOOPBACK.test(name);
}

/**
 * Whether a state-changing request was made by a page of another site (CSRF). What a browser says of it must agree;
 * where a cookie speaks for the operator, it must say something. Behind a proxy with TLS the origin is https, and browsers
 * keep a `SameSite=Strict` cookie from the http pages of the same host.
 */
function isForeign(request: FastifyRequest, access: Access): boolean {
  if (SAFE_METHODS.has(request.method)) return false;
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin === undefined && site === undefined) return access === 'session';
  const ours = origin === undefined || [`http://${host}`, `https://${host}`].includes(origin);
  return !ours || (site !== undefined && site !== 'same-origin');
}

function refuseToken(reply: FastifyReply): FastifyReply {
  reply.header('www-authenticate', 'Bearer realm="maedal"');
  return sendProblem(reply, 401, 'send the API token as `Authorization: Bearer …`');
}

function refuseSession(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isPage = SAFE_METHODS.has(request.method) && (request.headers.accept ?? '').includes('text/html');
  return isPage ? reply.redirect('/login') : sendProblem(reply, 401, 'log in at /login');
}

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
