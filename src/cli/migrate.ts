import type { Command } from 'commander';
import { migratePostgresQueue } from '../queue/postgres.ts';
import { migrate } from '../store/migrate.ts';
import { type Context, printResult, withDatabaseUrl } from './context.ts';

export function migrateCommand(program: Command, context: Context): void {
  program
    .command('migrate')
    .description("bring the database to this version; the same as `prisma migrate deploy`, and the queue's own tables")
    .action(async () => {
      const applied = await withDatabaseUrl(async (url, config) => {
        const names = await migrate(url);
        if (config.queue.kind === 'postgres') await migratePostgresQueue(url);
        return names;
      });
      printResult(context, program.opts().json === true, { applied }, () =>
        applied.length === 0 ? 'the database is up to date' : `applied ${applied.join(', ')}`,
      );
    });
}
