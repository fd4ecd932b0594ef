import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Db } from '../store/db.ts';
import { closeSession, loginWaitSeconds, openSession, recordLogin, touchSession } from '../store/sessions.ts';
import { html, type Markup, sendPage } from './html.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type SecretCheck, sha256 } from './secrets.ts';

export type LoginDeps = {
  readonly db: Db;
  readonly isPassword: SecretCheck;
};

type RecordVerdict = (verdict: 'succeeded' | 'failed', origin: string) => Promise<boolean>;

/** The operator's way in and out: `/login` (form and answer) and `POST /logout`. */
export function loginRoutes(app: FastifyInstance, deps: LoginDeps): void {
  app.get('/login', { config: { access: 'public' } }, (_request, reply) => sendPage(reply, 'Log in', form()));
  const inTurn = oneAtATime(); // they wait for one lock: many guesses hold one connection, not all that there are
  const record: RecordVerdict = (verdict, origin) => inTurn(() => recordLogin(deps.db, verdict, origin));
  app.post('/login', { config: { access: 'public' } }, (request, reply) => logIn(request, reply, deps, record));
  app.post('/logout', async (request, reply) => {
    await endSession(request, deps);
    const isSecure = overHttps(request);
    return reply.clearCookie(cookieName(isSecure), cookieOptions(isSecure)).redirect('/login', 303);
  });
}

/** Whether the request's cookie names a living session; a yes keeps it alive. */
export async function hasSession(request: FastifyRequest, deps: LoginDeps): Promise<boolean> {
  const id = sessionId(request);
  return id !== undefined && (await touchSession(deps.db, hashOf(id)));
}

async function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: LoginDeps,
  record: RecordVerdict,
): Promise<FastifyReply> {
  const body = Credentials.safeParse(request.body);
  if (!body.success) return sendPage(reply.code(400), 'Log in', form('Type the password.'));
  const verdict = deps.isPassword(body.data.password) ? 'succeeded' : 'failed';
  // The verdict counts only once it is written down, so guesses made side by side get no more answers than the limit.
  if (!(await record(verdict, originOf(request)))) return refuseForNow(request, reply, deps);
  if (verdict === 'failed') return sendPage(reply.code(401), 'Log in', form('This is not the password.'));
  await endSession(request, deps);
  const id = randomBytes(32).toString('base64url');
  await openSession(deps.db, hashOf(id));
  const isSecure = overHttps(request);
  return reply.setCookie(cookieName(isSecure), id, cookieOptions(isSecure)).redirect('/', 303);
}

async function refuseForNow(request: FastifyRequest, reply: FastifyReply, deps: LoginDeps): Promise<FastifyReply> {
  const seconds = Math.max(await loginWaitSeconds(deps.db, originOf(request)), 1);
  reply.code(429).header('retry-after', seconds);
  return sendPage(reply, 'Log in', form(`Too many wrong passwords. Try again in ${Math.ceil(seconds / 60)} minutes.`));
}

async function endSession(request: FastifyRequest, deps: LoginDeps): Promise<void> {
  const id = sessionId(request);
  if (id !== undefined) await closeSession(deps.db, hashOf(id));
}

/** The address of the connection itself: a header could say anything. */
function originOf(request: FastifyRequest): string {
  return (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
}

/** The database holds hashes only, so that a copy of it opens no session. */
function hashOf(id: string): string {
  return sha256(id).toString('hex');
}

function sessionId(request: FastifyRequest): string | undefined {
  return request.cookies[cookieName(true)] ?? request.cookies[cookieName(false)];
}

/** Whether the browser reached us over HTTPS, through a proxy that leaves `Host` as it is: its `Origin` says so. */
function overHttps(request: FastifyRequest): boolean {
  return request.headers.origin?.startsWith('https://') === true;
}

/** `__Host-` makes browsers refuse the cookie from another host, path or plain HTTP. */
function cookieName(isSecure: boolean): string {
  return isSecure ? '__Host-maedal' : 'maedal';
}

function cookieOptions(isSecure: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure } as const;
}

function form(problem?: string): Markup {
  return html`<form method="post" action="/login">
    ${problem === undefined ? html`` : html`<p role="alert" id="problem">${problem}</p>`}
    <label for="password">Operator password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
    <button type="submit">Log in</button>
  </form>`;
}

const Credentials = z.strictObject({ password: z.string() });
