import { join } from 'node:path';
import type { Command } from 'commander';
import { named } from '../app.ts';
import { systemClock } from '../clock.ts';
import { parseModes } from '../sandbox/modes.ts';
import { startSandbox } from '../sandbox/server.ts';
import { type Context, prepare, untilAborted } from './context.ts';
import { keepHealthFile } from './health-file.ts';

export function sandboxCommand(program: Command, context: Context): void {
  program
    .command('sandbox')
    .description('serve a PortOne V1 on this machine, with test cards instead of payment companies')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option(
      '--mode <name=value>',
      'a switch of its behaviour; may be given again',
      (text, all) => [...all, text],
      NO_MODES,
    )
    .action(async ({ host, mode }: { host: string; mode: readonly string[] }) => {
      const modes = parseModes(mode);
      const { config, report } = await prepare();
      const { sandboxPort: port, dataDir, healthFile: file } = config;
      const directory = join(dataDir, 'sandbox');
      const sandbox = await startSandbox({ host, port, directory, clock: systemClock, modes }).catch(
        (error: unknown) => {
          throw named(error, 'MAEDAL_SANDBOX_PORT', port);
        },
      );
      const health = await keepHealthFile({ file, clock: systemClock, report, isHealthy: async () => true });
      context.print(
        `sandbox at ${sandbox.url}; ledger at ${sandbox.url}/_sandbox/ledger, cards at ${sandbox.url}/_sandbox/cards`,
      );
      await untilAborted(context.stopped);
      await health.close();
      await sandbox.close();
    });
}

const NO_MODES: readonly string[] = [];
