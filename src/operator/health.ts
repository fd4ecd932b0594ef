import type { FastifyInstance } from 'fastify';
import { bearsToken } from './guard.ts';
import type { SecretCheck } from './secrets.ts';

/** Whether this process can do its work, and what was looked at. Details may name hosts, so only the token shows them. */
export type ReadinessReport = {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
};

export type HealthDeps = { readonly readiness: () => Promise<ReadinessReport>; readonly isApiToken: SecretCheck };

/** `/healthz`: the process is alive. `/readyz`: it can work; 503 when not. */
export function healthRoutes(app: FastifyInstance, { readiness, isApiToken }: HealthDeps): void {
  const ask = shared(readiness);
  app.get('/healthz', { config: { access: 'public' } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config: { access: 'public' } }, async (request, reply) => {
    const { ok, checks } = await ask();
    reply.code(ok ? 200 : 503);
    const status = ok ? 'ready' : 'not ready';
    return bearsToken(request, isApiToken) ? { status, checks } : { status };
  });
}

/** Everybody who asks while an answer is on its way gets that answer: anyone may ask, and asking costs a query. */
function shared(readiness: () => Promise<ReadinessReport>): () => Promise<ReadinessReport> {
  let pending: Promise<ReadinessReport> | null = null;
  return () => {
    pending ??= readiness()
      .catch((error: unknown) => ({ ok: false, checks: [{ name: 'readiness', ok: false, detail: String(error) }] }))
      .finally(() => {
        pending = null;
      });
    return pending;
  };
}
