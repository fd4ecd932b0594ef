import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InputError } from '../../billing/errors.ts';
import type { Db } from '../../store/db.ts';
import { type Answer, claimKey, type Key, keepAnswer, releaseKey } from '../../store/idempotency.ts';
import { sendProblem } from '../problem.ts';

/**
 * Does the work of a request once for its `Idempotency-Key`: the same key and body get the stored answer, another body
 * 409, and so does a second request while the first is being worked on. `work` is given the key that its statement is to
 * mark as done, for this request may be slow or die, and another take over. Without a key the work is done. What throws
 * is not stored. Throws InputError for a key that is none.
 */
export async function idempotent(
  db: Db,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (under: Key | undefined) => Promise<Answer>,
): Promise<FastifyReply> {
  const key = keyOf(request);
  if (key === null) return send(reply, await work(undefined));
  const scope = hashOf(`${request.method} ${request.url}`); // a URL may be longer than an index takes
  const under = { scope, key, bodyHash: hashOf(JSON.stringify(request.body ?? null)) };
  const claim = await claimKey(db, under);
  switch (claim.kind) {
    case 'answered':
      return send(reply.header('idempotent-replayed', 'true'), claim.answer);
    case 'mismatch':
      return sendProblem(reply, 409, 'this Idempotency-Key was used with another body');
    case 'busy':
      return sendProblem(reply.header('retry-after', 1), 409, 'the same request is being worked on');
    case 'ours': {
      const answer = await work(under).catch(async (error: unknown) => {
        await releaseKey(db, under);
        throw error;
      });
      return send(reply, await keepAnswer(db, under, answer));
    }
  }
}

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  if (status < 400) return reply.code(status).send(body);
  return sendProblem(reply, status, typeof body === 'string' ? body : undefined);
}

function keyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new InputError('the Idempotency-Key cannot be read', 'give it once: 1 to 255 visible ASCII characters');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
