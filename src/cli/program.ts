import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { FenceError, InputError } from '../billing/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import { DataDirBusyError } from '../embedded/ownership.ts';
import { asError } from '../events.ts';
import { adoptCommand } from './adopt.ts';
import { billCommand } from './bill.ts';
import type { Context } from './context.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { importCommand } from './import.ts';
import { migrateCommand } from './migrate.ts';
import { rebuildQueueCommand } from './rebuild-queue.ts';
import { reconcileCommand } from './reconcile.ts';
import { refundCommand } from './refund.ts';
import { sandboxCommand } from './sandbox.ts';
import { sendCommand } from './send.ts';
import { startCommand } from './start.ts';

/** 0 ok, 1 could not finish, 2 bad usage or configuration, 3 refused by a safety fence. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Runs one command line (without the program's own name) to its end. Never throws; says on stderr what went wrong. */
export async function run(
  args: readonly string[],
  context: Context,
  complain: (text: string) => void,
): Promise<ExitCode> {
  try {
    await program(context).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2; // it has said so itself
    complain(messageOf(asError(thrown)));
    return exitCodeFor(thrown);
  }
}

function program(context: Context): Command {
  const commands = new Command('maedal')
    .description('bills stored cards through PortOne V1: never twice, never lost')
    .version(ownVersion())
    .option('--json', 'results as JSON on stdout')
    .exitOverride()
    .showHelpAfterError('(see `maedal --help`)');
  for (const add of [
    startCommand,
    migrateCommand,
    importCommand,
    billCommand,
    explainCommand,
    refundCommand,
    doctorCommand,
    reconcileCommand,
    rebuildQueueCommand,
    sendCommand,
    adoptCommand,
    sandboxCommand,
  ]) {
    add(commands, context);
  }
  for (const command of commands.commands) command.exitOverride();
  return commands;
}

/** Seen from `src/cli/` and from `dist/cli/` alike. */
function ownVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}

function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof DataDirBusyError || error instanceof FenceError) return 3;
  return error instanceof InputError || error instanceof ConfigError ? 2 : 1;
}

/** The message and what lies behind it, each once. */
function messageOf(error: Error): string {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause)
    causes.push(cause.message);
  return ['maedal:', error.message, ...causes.map((cause) => `\n  because: ${cause}`)].join(' ');
}
