import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildConsole, type ConsoleDeps } from '../../src/operator/server.ts';
import type { ChargeQueue } from '../../src/queue/charge-queue.ts';
import { migratePostgresQueue, openPostgresQueue } from '../../src/queue/postgres.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { FINGERPRINT } from '../support/world.ts';

export const TOKEN = 'token-of-the-tests';
export const PASSWORD = 'password-of-the-tests';

const PLANS = {
  weekly: {
    name: 'Weekly tea',
    amount: { minor: 3_000, currency: 'KRW' },
    interval: 'week',
    intervalCount: 1,
    policy: 'default',
  },
  grand: {
    name: 'Grand tea',
    amount: { minor: 30_000, currency: 'KRW' },
    interval: 'month',
    intervalCount: 1,
    policy: 'patient',
  },
} as const;

/** A console over a database of its own. `errors` gathers what it reported. */
export type World = {
  readonly database: TestDatabase;
  readonly deps: ConsoleDeps;
  readonly app: FastifyInstance;
  readonly errors: { error: Error; where: string }[];
  /** A request with the API's token. */
  readonly api: (url: string) => Promise<LightMyRequestResponse>;
  /** Logs in and returns the cookie to send. */
  readonly logIn: () => Promise<string>;
  close(): Promise<void>;
};

export async function newWorld(): Promise<World> {
  return worldOver(await freshDatabase(), []);
}

/** The same with a queue in that database, which Bull Board shows. */
export async function newWorldWithQueue(): Promise<World & { readonly queue: ChargeQueue }> {
  const database = await freshDatabase();
  await migratePostgresQueue(database.url);
  const queue = await openPostgresQueue({ url: database.url, onError: () => undefined });
  const world = await worldOver(database, [queue.board]);
  const close = async () => {
    await world.app.close();
    await queue.close();
    await database.drop();
  };
  return { ...world, queue, close };
}

async function worldOver(database: TestDatabase, queues: ConsoleDeps['queues']): Promise<World> {
  const errors: World['errors'] = [];
  const deps: ConsoleDeps = {
    db: database.db,
    fingerprint: FINGERPRINT,
    versions: { default: 'default-1' },
    listeners: [],
    imports: {
      plans: PLANS,
      channels: [],
      policies: ['default'],
      timezone: 'Asia/Seoul',
      chargeAt: '10:00',
      sandbox: null,
    },
    channel: () => ({ quarantineSeconds: 86_400, declinesAreFinal: true }),
    apiToken: TOKEN,
    operatorPassword: PASSWORD,
    queues,
    readiness: async () => ({ ok: true, checks: [{ name: 'database', ok: true, detail: 'at db.internal' }] }),
    report: (error, where) => errors.push({ error, where }),
  };
  const app = await buildConsole(deps, '127.0.0.1');
  return {
    database,
    deps,
    app,
    errors,
    api: (url) => app.inject({ url, headers: { authorization: `Bearer ${TOKEN}` } }),
    logIn: async () => cookieOf(await app.inject(loginRequest(PASSWORD))),
    close: async () => {
      await app.close();
      await database.drop();
    },
  };
}

export function loginRequest(password: string, remoteAddress = '127.0.0.1'): InjectOptions {
  return {
    method: 'POST',
    url: '/login',
    remoteAddress,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost:80' },
    payload: new URLSearchParams({ password }).toString(),
  };
}

/** What a browser would send back: `name=value` of the first cookie set. */
export function cookieOf(response: LightMyRequestResponse): string {
  return String(response.headers['set-cookie'] ?? '').split(';')[0] ?? '';
}
