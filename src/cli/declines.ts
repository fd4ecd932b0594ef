import type { Command } from 'commander';
import { InputError } from '../billing/errors.ts';
import { isoInstant } from '../operator/instant.ts';
import { printable } from '../operator/printable.ts';
import { countDeclines, type DeclineCount } from '../store/declines.ts';
import { type Context, printResult, withApp } from './context.ts';

export function declinesCommand(program: Command, context: Context): void {
  program
    .command('declines')
    .description('count declines by the words of the payment companies, those first whose class nobody knows')
    .option('--days <n>', 'how many days back', parseDays, 30)
    .action(async ({ days }: { days: number }) => {
      const { total, counts } = await withApp('maedal/declines', (app) => countDeclines(app.db, days, MOST));
      const json = counts.map(({ lastAt, ...count }) => ({ ...count, last_at: isoInstant(lastAt) }));
      printResult(context, program.opts().json === true, { days, total, declines: json }, () =>
        render(days, total, counts),
      );
    });
}

const ADD_A_LINE = 'say under `declines` in your configuration what the words of an `other` mean';

/** So many words are told apart. */
const MOST = 200;

function parseDays(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InputError(`--days is '${text}'`, 'write a number from 1 to 9999');
}

function render(days: number, total: number, counts: readonly DeclineCount[]): string {
  if (total === 0) return `no declines in the last ${days} days`;
  const shown = counts.reduce((sum, { count }) => sum + count, 0);
  return [
    `${total} declines in the last ${days} days`,
    ...counts.map(({ class: of, text, channel, count, lastAt }) => {
      const words = printable(text ?? 'without a word');
      return `${String(count).padStart(6)}  ${of.padEnd(6)}  ${isoInstant(lastAt)}  ${channel}  ${words}`;
    }),
    ...(shown < total ? [`and ${total - shown} more, in rarer words`] : []),
    ...(counts.some(({ class: of }) => of === 'other') ? [ADD_A_LINE] : []),
  ].join('\n');
}
