import { Argument, type Command } from 'commander';
import { readSending, resumeSending, stopSending } from '../store/control.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { demandOurs } from './ours.ts';
import { parseReason } from './reason.ts';

export function sendCommand(program: Command, context: Context): void {
  program
    .command('send')
    .description('stop all charges at once, or let them go again; `on` also ends what an audit or a clock has stopped')
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .action(async (state: 'on' | 'off', { reason }: { reason: string }) => {
      const said = { actor: actor(), reason };
      const result = await withApp('maedal/send', async (app) => {
        const { db } = app;
        const before = await readSending(db);
        if (state === 'off') return { sending: 'off', changed: await stopSending(db, said), before: before.reason };
        await demandOurs(app);
        await resumeSending(db, said);
        return { sending: 'on', changed: !before.enabled, before: before.reason };
      });
      printResult(context, program.opts().json === true, result, () => render(result));
    });
}

function render({ sending, changed, before }: { sending: string; changed: boolean; before: string | null }): string {
  if (sending === 'on')
    return changed ? `sending is on; it was off: ${before ?? 'no reason was given'}` : 'sending is on';
  return changed
    ? 'sending is off: nothing leaves from now on'
    : `sending was off already: ${before ?? 'no reason given'}`;
}
