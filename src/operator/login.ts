import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Db } from '../store/db.ts';
import { closeSession, loginWaitSeconds, openSession, recordLogin, touchSession } from '../store/sessions.ts';
import { html, type Markup, sendPage } from './html.ts';
import { type SecretCheck, sha256 } from './secrets.ts';

export type LoginDeps = {
  readonly db: Db;
  readonly isPassword: SecretCheck;
  /** Whether the console is reached over HTTPS. */
  readonly secureCookies: boolean;
};

/** The operator's way in and out: `/login` (form and answer) and `POST /logout`. */
export function loginRoutes(app: FastifyInstance, deps: LoginDeps): void {
  app.get('/login', { config: { access: 'public' } }, (_request, reply) => sendPage(reply, 'Log in', form()));
  app.post('/login', { config: { access: 'public' } }, (request, reply) => logIn(request, reply, deps));
  app.post('/logout', async (request, reply) => {
    await endSession(request, deps);
    return reply.clearCookie(cookieName(deps), cookieOptions(deps)).redirect('/login', 303);
  });
}

/** Whether the request's cookie names a living session; a yes keeps it alive. */
export async function hasSession(request: FastifyRequest, deps: LoginDeps): Promise<boolean> {
  const id = request.cookies[cookieName(deps)];
  return id !== undefined && (await touchSession(deps.db, hashOf(id)));
}

async function logIn(request: FastifyRequest, reply: FastifyReply, deps: LoginDeps): Promise<FastifyReply> {
  const body = Credentials.safeParse(request.body);
  if (!body.success) return sendPage(reply.code(400), 'Log in', form('Type the password.'));
  const verdict = deps.isPassword(body.data.password) ? 'succeeded' : 'failed';
  // The verdict counts only once it is written down, so guesses made side by side get no more answers than the limit.
  if (!(await recordLogin(deps.db, verdict, originOf(request)))) return refuseForNow(request, reply, deps);
  if (verdict === 'failed') return sendPage(reply.code(401), 'Log in', form('This is not the password.'));
  await endSession(request, deps);
  const id = randomBytes(32).toString('base64url');
  await openSession(deps.db, hashOf(id));
  return reply.setCookie(cookieName(deps), id, cookieOptions(deps)).redirect('/', 303);
}

async function refuseForNow(request: FastifyRequest, reply: FastifyReply, deps: LoginDeps): Promise<FastifyReply> {
  const seconds = Math.max(await loginWaitSeconds(deps.db, originOf(request)), 1);
  reply.code(429).header('retry-after', seconds);
  return sendPage(reply, 'Log in', form(`Too many wrong passwords. Try again in ${Math.ceil(seconds / 60)} minutes.`));
}

async function endSession(request: FastifyRequest, deps: LoginDeps): Promise<void> {
  const id = request.cookies[cookieName(deps)];
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

/** `__Host-` makes browsers refuse the cookie from another host, path or plain HTTP. */
function cookieName({ secureCookies }: LoginDeps): string {
  return secureCookies ? '__Host-maedal' : 'maedal';
}

function cookieOptions({ secureCookies }: LoginDeps) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: secureCookies } as const;
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
