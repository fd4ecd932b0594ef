import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FenceError, InputError } from '../billing/errors.ts';
import { asError } from '../events.ts';
import { databaseIsAway } from '../store/away.ts';

/** Tells of an error that nobody expected; `where` is a method and a route's pattern, never a value. */
export type ReportError = (error: Error, where: string) => void;

/** Answers `application/problem+json` (RFC 9457). `detail` is shown to whoever asked: nothing internal belongs in it. */
export function sendProblem(reply: FastifyReply, status: number, detail?: string): FastifyReply {
  const title = STATUS_CODES[status] ?? 'Error';
  const problem = { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }) };
  // As bytes, because Fastify adds a charset to text, and this media type has none.
  return reply
    .code(status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}

/** Answers every error and every unknown path as a problem; what is our fault is reported and not shown. */
export function answerErrors(app: FastifyInstance, report: ReportError): void {
  app.setErrorHandler((error, request, reply) => answerError(error, { request, reply, report }));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404));
}

/** One error's answer: bad input 400, a fence 409, a database that is away 503, anything unforeseen 500. */
export function answerError(error: unknown, { request, reply, report }: Failing): FastifyReply {
  if (error instanceof InputError) return sendProblem(reply, 400, error.message);
  if (error instanceof FenceError) return sendProblem(reply, 409, error.message);
  const status = statusOf(error);
  if (status >= 400 && status < 500) return sendProblem(reply, status);
  report(asError(error), `${request.method} ${request.routeOptions.url ?? '(no route)'}`);
  if (databaseIsAway(error)) return sendProblem(reply.header('retry-after', 5), 503, 'the database cannot be reached');
  return sendProblem(reply, 500);
}

type Failing = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly report: ReportError };

/** Fastify and its plugins carry the HTTP status of a refusal on the error. */
function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}
