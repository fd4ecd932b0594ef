import type { FaultClass } from '../world.ts';

/** The database dies, cuts connections off, or has the invoices locked by somebody else. */
export const postgres: FaultClass = {
  name: 'postgres',
  strike: async ({ postgres: server, chance, tally }) => {
    const what = chance.weighed([
      ['crash', 2],
      ['cut all', 2],
      ['cut one', 4],
      ['lock', 2],
    ] as const);
    tally.add('process', `postgres ${what}`);
    switch (what) {
      case 'crash':
        return server.crash();
      case 'lock':
        return server.lockTable(chance.pick(['invoice', 'attempt', 'subscription']), chance.between(300, 4_000));
      default:
        await server.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name <> 'campaign' AND backend_type = 'client backend' ORDER BY random() LIMIT $1`,
          [what === 'cut one' ? 1 : null],
        );
    }
  },
};
