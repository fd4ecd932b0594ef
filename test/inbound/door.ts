import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { type Clock, systemClock } from '../../src/clock.ts';
import { followHints, type InboundDeps } from '../../src/inbound/follow-hints.ts';
import type { SourceRules } from '../../src/inbound/source.ts';
import { WEBHOOK_PATH, webhookRoute } from '../../src/inbound/webhook-route.ts';
import { hintStore } from '../../src/store/hints.ts';
import { FINGERPRINT, type World } from '../support/world.ts';

/** What PortOne sends. */
type Said = { readonly imp_uid?: string; readonly merchant_uid?: string; readonly status?: string };

/** The door for webhooks over a world, and whoever follows what comes through it. `lookUps` is what the gateway was asked. */
export type Door = {
  readonly app: FastifyInstance;
  readonly deps: InboundDeps;
  readonly lookUps: string[];
  say(hint: Said): Promise<LightMyRequestResponse>;
  follow(): Promise<number>;
  hints(): ReturnType<World['database']['db']['hint']['findMany']>;
};

export async function openDoor(world: World, sources: SourceRules = ANYWHERE): Promise<Door> {
  const store = hintStore(world.database.db, FINGERPRINT);
  const app = Fastify();
  await webhookRoute({ keepHints: store.keepHints, sources, clock: HASTY })(app);
  const lookUps: string[] = [];
  const { clock, report, failpoints } = world.worker;
  const lookUp = async (merchantUid: string) => {
    lookUps.push(merchantUid);
    return world.gateway.lookUp(merchantUid);
  };
  const deps: InboundDeps = { store, lookUp, clock, report, failpoints };
  return {
    app,
    deps,
    lookUps,
    say: (hint) => app.inject({ method: 'POST', url: WEBHOOK_PATH, payload: hint }),
    follow: () => followHints(deps),
    hints: () => world.database.db.hint.findMany({ orderBy: { id: 'asc' } }),
  };
}

/** Nobody waits for more to come. */
const HASTY: Clock = { ...systemClock, after: (_ms, callback) => systemClock.after(0, callback) };
const ANYWHERE: SourceRules = { from: null, trustedProxies: [] };
