import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { migrate } from './migrate.ts';

/** A database that nobody will miss, and whose clock is moved by hand. */
export type ThrowAway = {
  readonly url: string;
  /** From now on `maedal_now()` says this, in milliseconds since 1970, for all of its sessions. */
  setNow(ms: number): Promise<void>;
  /** Clears away what updates have left behind, as the server would by itself, but when it is told. */
  tidy(): Promise<void>;
  /** Removes it, whoever still uses it. */
  drop(): Promise<void>;
};

/**
 * Makes one on the PostgreSQL that `serverUrl` names, migrated and empty, standing at that instant. Its ids are counted
 * instead of drawn, so that what is done in the same order has the same ids; its attempts remember when they were due.
 */
export async function createThrowAway(serverUrl: string, nowMs: number): Promise<ThrowAway> {
  const name = `maedal_throw_away_${randomUUID().replaceAll('-', '')}`;
  const own = new URL(serverUrl);
  own.pathname = `/${name}`;
  const url = own.toString();
  await connected(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  const drop = async () => {
    await connected(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  try {
    await connected(serverUrl, (client) =>
      client.query(SETTINGS.map((one) => `ALTER DATABASE ${name} SET ${one}`).join(';')),
    );
    await migrate(url);
    const clock = await open(url);
    await clock.query(SETUP);
    const setNow = async (ms: number) => {
      await clock.query({ name: 'move', text: "SELECT setval('simulated_clock', $1)", values: [Math.trunc(ms)] });
    };
    await setNow(nowMs);
    return {
      url,
      setNow,
      tidy: async () => void (await clock.query('VACUUM (ANALYZE)')),
      drop: async () => {
        await clock.end();
        await drop();
      },
    };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'maedal/simulate', options: '-c TimeZone=UTC' });
  client.on('error', () => undefined); // the query in hand rejects with the same
  await client.connect();
  return client;
}

async function connected(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = await open(url);
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Plans that do not hang on what a table holds just then; nothing has to outlive a crash. */
const SETTINGS = [
  'enable_seqscan = off',
  'enable_mergejoin = off',
  'enable_hashjoin = off',
  'jit = off',
  'synchronous_commit = off',
  'plan_cache_mode = force_generic_plan',
];

/** What the server did by itself, and when it likes, would have the same statement give its rows in another order. */
const SETUP = `
-- Asked some tens of times in a statement: a sequence is read in a fifth of the time that a row takes.
CREATE SEQUENCE simulated_clock MINVALUE -9223372036854775807;
CREATE OR REPLACE FUNCTION maedal_now() RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN timestamptz 'epoch' + pg_sequence_last_value('simulated_clock'::regclass) * interval '1 millisecond';
END $$;

CREATE SEQUENCE simulated_id_number;
CREATE FUNCTION simulated_id() RETURNS uuid LANGUAGE sql VOLATILE
  AS $$ SELECT lpad(to_hex(nextval('simulated_id_number')), 32, '0')::uuid $$;
DO $$
DECLARE
  drawn record;
  kept regclass;
BEGIN
  FOR drawn IN SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND column_default = 'gen_random_uuid()' LOOP
    EXECUTE format('ALTER TABLE %I ALTER %I SET DEFAULT simulated_id()', drawn.table_name, drawn.column_name);
  END LOOP;
  FOR kept IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', kept);
  END LOOP;
END $$;

CREATE TABLE simulated_due (attempt_id uuid PRIMARY KEY, due_at timestamptz NOT NULL);
CREATE FUNCTION simulated_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO simulated_due SELECT NEW.id, next_at FROM invoice WHERE id = NEW.invoice_id;
  RETURN NULL;
END $$;
CREATE TRIGGER simulated_due AFTER INSERT ON attempt FOR EACH ROW EXECUTE FUNCTION simulated_due();
`;
