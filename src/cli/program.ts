import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { FenceError, InputError } from '../billing/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import { DataDirBusyError } from '../embedded/ownership.ts';
import { asError } from '../events.ts';
import { PACKAGE } from '../own-files.ts';
import type { Context } from './context.ts';

type Load = () => Promise<(program: Command, context: Context) => void>;

/** 0 ok, 1 could not finish, 2 bad usage or configuration, 3 refused by a safety fence. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Runs one command line (without the program's own name) to its end. Never throws; says on stderr what went wrong. */
export async function run(
  args: readonly string[],
  context: Context,
  complain: (text: string) => void,
): Promise<ExitCode> {
  try {
    const commands = await program(args, context);
    await commands.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2; // it has said so itself
    complain(messageOf(asError(thrown)));
    return exitCodeFor(thrown);
  }
}

async function program(args: readonly string[], context: Context): Promise<Command> {
  const commands = new Command('maedal')
    .description('bills stored cards through PortOne V1: never twice, never lost')
    .version(ownVersion())
    .option('--json', 'results as JSON on stdout')
    .exitOverride()
    .showHelpAfterError('(see `maedal --help`)');
  for (const load of wanted(args)) (await load())(commands, context);
  for (const command of commands.commands) command.exitOverride();
  return commands;
}

/** The command that is named, so that nothing is loaded for the others; all of them for help and for a slip of the pen. */
function wanted(args: readonly string[]): readonly Load[] {
  const named = args.find((arg) => !arg.startsWith('-'));
  const found = Object.entries(COMMANDS).find(([name]) => name === named);
  return found === undefined ? Object.values(COMMANDS) : [found[1]];
}

function ownVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8'));
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

const COMMANDS: Readonly<Record<string, Load>> = {
  start: async () => (await import('./start.ts')).startCommand,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  import: async () => (await import('./import.ts')).importCommand,
  bill: async () => (await import('./bill.ts')).billCommand,
  policy: async () => (await import('./policy.ts')).policyCommand,
  declines: async () => (await import('./declines.ts')).declinesCommand,
  forecast: async () => (await import('./forecast.ts')).forecastCommand,
  simulate: async () => (await import('./simulate.ts')).simulateCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  hooks: async () => (await import('./hooks.ts')).hooksCommand,
  events: async () => (await import('./events.ts')).eventsCommand,
  retry: async () => (await import('./retry.ts')).retryCommand,
  release: async () => (await import('./release.ts')).releaseCommand,
  void: async () => (await import('./void.ts')).voidCommand,
  'mark-paid': async () => (await import('./mark-paid.ts')).markPaidCommand,
  refund: async () => (await import('./refund.ts')).refundCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  reconcile: async () => (await import('./reconcile.ts')).reconcileCommand,
  'rebuild-queue': async () => (await import('./rebuild-queue.ts')).rebuildQueueCommand,
  send: async () => (await import('./send.ts')).sendCommand,
  adopt: async () => (await import('./adopt.ts')).adoptCommand,
  sandbox: async () => (await import('./sandbox.ts')).sandboxCommand,
};
