import type { FastifyInstance } from 'fastify';
import { FenceError } from '../../billing/errors.ts';
import type { Db } from '../../store/db.ts';
import { readFence } from '../../store/fence.ts';
import type { Answer } from '../../store/idempotency.ts';
import { findSubscription } from '../../store/views.ts';
import { type ImportDeps, importRows } from '../import/import-file.ts';
import { rowOf } from '../import/json-row.ts';
import { ImportError } from '../import/problems.ts';
import { idempotent } from './idempotent.ts';
import { subscriptionJson } from './subscriptions.ts';

export type NewSubscriptionDeps = {
  readonly db: Db;
  readonly fingerprint: string;
  /** What rows are read by: the body is one row of an import. */
  readonly imports: Omit<ImportDeps, 'db'>;
};

/**
 * `POST /v1/subscriptions`: one row of an import as JSON, by the names of its columns. 201 with the subscription; 200
 * where it is there with the same values; 400 with everything that is wrong with it.
 */
export function newSubscriptionRoute(app: FastifyInstance, deps: NewSubscriptionDeps): void {
  app.post('/v1/subscriptions', { config: { access: 'token' } }, (request, reply) =>
    idempotent(deps.db, request, reply, () => subscribe(deps, request.body)),
  );
}

async function subscribe({ db, fingerprint, imports }: NewSubscriptionDeps, body: unknown): Promise<Answer> {
  const fence = await readFence(db, { fingerprint, needsAdoption: false });
  if (fence.kind === 'foreign') throw new FenceError(`${fence.reason}; this process reads only`, 'see `maedal adopt`');
  const rows = [...rowOf(body ?? {}, 1, '')];
  const [row] = rows;
  try {
    const { imported } = await importRows({ db, ...imports }, { name: 'the body', rows }, { dryRun: false });
    const id = row?.kind === 'row' ? row.cells.get('subscription_id') : undefined;
    const subscription = id === undefined ? null : await findSubscription(db, id);
    if (subscription === null) throw new Error(`subscription ${id} was imported and is not there`);
    return { status: imported === 1 ? 201 : 200, body: subscriptionJson(subscription) };
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return { status: 400, body: error.problems.map(({ reason }) => reason).join('; ') };
  }
}
