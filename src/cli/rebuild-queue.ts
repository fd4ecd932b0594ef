import type { Command } from 'commander';
import type { DateTime } from 'luxon';
import type { App } from '../app.ts';
import { type Rebuilt, rebuildQueue } from '../scheduler/rebuild-queue.ts';
import { databaseNow, ringAgain } from '../store/due.ts';
import { type Context, printResult, withApp } from './context.ts';
import { openQueue } from './open-queue.ts';
import { demandOurs } from './ours.ts';

export function rebuildQueueCommand(program: Command, context: Context): void {
  program
    .command('rebuild-queue')
    .description('empty the queue and fill it again from the database, which knows all that is due')
    .action(async () => {
      const result = await withApp('maedal/rebuild-queue', (app) => rebuild(app, context.stopped));
      printResult(context, program.opts().json === true, result, () => {
        return `removed ${result.removed} jobs; rang again for ${result.rung} attempts that nobody had taken`;
      });
    });
}

async function rebuild(app: App, stopped: AbortSignal): Promise<Rebuilt> {
  await demandOurs(app);
  const queue = await openQueue(app, stopped);
  app.onClose(() => queue.close());
  const { db, config } = app;
  const { reRingSeconds } = config.limits;
  const deps = {
    databaseNow: () => databaseNow(db),
    ringAgain: (limit: number, before: DateTime) => ringAgain(db, limit, reRingSeconds, before),
  };
  return rebuildQueue(deps, queue);
}
