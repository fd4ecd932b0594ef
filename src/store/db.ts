import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './prisma/client.ts';

/** The database, as every function in `store/` takes it. */
export type Db = PrismaClient;

export type DbOptions = {
  readonly url: string;
  /** Who writes: shown in the history of every row, e.g. `maedal/worker`. */
  readonly who: string;
  /** Connections at most; by default what the URL says, or 10. It never has more than the URL says. */
  readonly connections?: number;
  /** How long one statement may take, in ms; 10 s by default, 0 for no limit (migration, import). */
  readonly statementTimeoutMs?: number;
  /** Whether nothing has to outlive a crash: then commits are not waited for. */
  readonly throwAway?: boolean;
};

/**
 * Opens the database; the first statement connects. Sessions run in UTC whatever the server's default is, because the
 * driver adapter reads a `timestamptz` by dropping its offset (@prisma/adapter-pg 7.10, `normalize_timestamptz`), and
 * a statement waits 3 s at most for a row that somebody else holds. What is acknowledged is on disk, whatever the server's
 * default is: a crash that took an intent back would have it sent again. Statements are named, so that the server plans each
 * once a connection, and connections outlive the quiet between two ticks (decision 0029). Close with `$disconnect()`.
 */
export function openDb(options: DbOptions): Db {
  const session = {
    TimeZone: 'UTC',
    statement_timeout: options.statementTimeoutMs ?? 10_000,
    lock_timeout: options.statementTimeoutMs === 0 ? 0 : 3_000,
    idle_in_transaction_session_timeout: 10_000,
    ...(options.throwAway === true ? {} : { synchronous_commit: 'on' }),
  };
  const pool = {
    connectionString: withSession(options.url, session),
    application_name: options.who,
    max: connectionsOf(options),
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 300_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000, // a flow that a NAT forgot is noticed while the connection is idle
  };
  const adapter = new PrismaPg(pool, { statementNameGenerator: numbered() });
  // What is not to name the place of a call in an error does not take down where each statement was called from.
  return new PrismaClient({ adapter, errorFormat: 'minimal' });
}

function connectionsOf({ url, connections }: DbOptions): number {
  const text = new URL(url).searchParams.get('connection_limit');
  const limit = text === null ? null : Number(text);
  return connections === undefined ? (limit ?? CONNECTIONS) : Math.min(connections, limit ?? connections);
}

/**
 * A name for each statement, the same one whenever it comes again; none, which the driver never prepares, once there are
 * `MOST_NAMES`: a list of changing length makes a new text each time, and neither side ever forgets a name.
 */
function numbered(): (statement: { readonly sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= MOST_NAMES) return known ?? '';
    const name = `maedal_${names.size + 1}`;
    names.set(sql, name);
    return name;
  };
}

const MOST_NAMES = 500;
/** More are no quicker: a charge waits for the gateway, and without a connection. */
const CONNECTIONS = 10;

/** Ours come last and win; `options` beside a URL that has some of its own would be ignored by the driver. */
function withSession(url: string, session: Readonly<Record<string, string | number>>): string {
  const own = new URL(url);
  const ours = Object.entries(session).map(([name, value]) => `-c ${name}=${value}`);
  own.searchParams.set('options', [own.searchParams.get('options') ?? '', ...ours].join(' ').trim());
  return own.toString();
}
