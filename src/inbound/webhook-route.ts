import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Hint } from '../store/hints.ts';
import { openInbox } from './inbox.ts';
import { type Body, readHint } from './read-hint.ts';
import { type SourceRules, sourceCheck, sourceReader } from './source.ts';

export type WebhookDeps = {
  readonly keepHints: (hints: readonly Hint[]) => Promise<boolean>;
  readonly sources: SourceRules;
  readonly clock: Clock;
};

/** Where PortOne's webhooks come in. */
export const WEBHOOK_PATH = '/webhooks/portone';

/**
 * `POST /webhooks/portone`: keeps what it says and answers 200. Anybody can send one, so nothing follows from its words:
 * a payment of ours that it names is looked up at the gateway, soon and not often. No row about money is locked here.
 */
export function webhookRoute(deps: WebhookDeps): (app: FastifyInstance) => Promise<void> {
  const keep = openInbox(deps.keepHints, deps.clock);
  const isAllowed = sourceCheck(deps.sources);
  const readSource = sourceReader(deps.sources);
  const sourceOf = ({ socket, headers }: FastifyRequest) =>
    readSource(socket.remoteAddress ?? '', [headers['x-forwarded-for'] ?? []].flat().join(','));
  return async (app) => {
    await app.register(async (scope) => {
      readBodiesAsText(scope);
      scope.addHook('onRequest', async (request, reply) => {
        if (isAllowed(sourceOf(request))) return undefined;
        return reply.code(403).send({ detail: 'webhooks are not taken from this address: see `webhooks.from`' });
      });
      scope.post<{ Body: Body }>(WEBHOOK_PATH, ROUTE, async (request, reply) => {
        const kept = await keep(readHint(request.body, sourceOf(request)));
        if (kept === 'kept') return reply.send({ status: 'kept' });
        return reply.code(503).header('retry-after', 5).send({ detail: WHY_NOT[kept] });
      });
    });
  };
}

/** JSON or a form, at most 8 KB; anything else is answered 415 or 413. */
function readBodiesAsText(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  for (const as of ['json', 'form'] as const) {
    scope.addContentTypeParser<string>(
      as === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: LONGEST_BODY },
      (_request, text, done) => done(null, { text, as }),
    );
  }
}

const WHY_NOT = {
  full: 'too many webhooks at once',
  foreign: "this process reads only: its database is another installation's",
} as const;

/** Open to everybody. Its answers go to no browser, and the headers for one cost more than all the rest of an answer. */
const ROUTE = { config: { access: 'public' }, helmet: false } as const;

const LONGEST_BODY = 8 * 1024;
