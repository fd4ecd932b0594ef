import { formatMajor } from '../billing/money.ts';
import type { Recovery } from '../simulate/recovery.ts';
import type { Amounts, Month, Summary } from '../simulate/summary.ts';
import { renderTable } from './table.ts';

/** A simulation for people: a row for each month, a line on recovery, and one on steps where any was entered. */
export function renderSummary(summary: Summary, timezone: string): string {
  const rows = [...summary.months, { ...summary, month: 'all' }].map(rowOf);
  const table = renderTable([HEADINGS, ...rows]);
  const title = `${summary.subscriptions} subscriptions, months of ${timezone}`;
  return [title, table, recoveryLine(summary.recovery), ...stepsLine(summary.steps)].join('\n');
}

const HEADINGS = ['month', 'periods', 'attempts', 'paid', 'declined', 'held', 'other', 'collected'];

function rowOf({ month, invoices, attempts, outcomes, collected }: Month): string[] {
  const { paid, declined, rejected, held, unknown, waived } = outcomes;
  const counts = [invoices, attempts, paid, declined + rejected, held, unknown + waived];
  return [month, ...counts.map((count) => count.toLocaleString('en')), amounts(collected)];
}

function amounts(collected: Amounts): string {
  const each = Object.entries(collected).map(([currency, minor]) => `${grouped(minor, currency)} ${currency}`);
  return each.length === 0 ? '0' : each.join(' + ');
}

function grouped(minor: number, currency: string): string {
  const [whole = '', fraction] = formatMajor({ minor, currency }).split('.');
  const digits = Number(whole).toLocaleString('en');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

function recoveryLine({ declined, recovered, given_up: givenUp, open, median_days: days }: Recovery): string {
  if (declined === 0) return 'recovery: nothing was declined';
  const share = Math.round((100 * recovered) / declined);
  const after = days === null ? '' : `, half of them within ${days} ${days === 1 ? 'day' : 'days'}`;
  return `recovery: of ${declined} declined, ${recovered} were paid later (${share} %)${after}; ${givenUp} given up, ${open} open`;
}

function stepsLine(steps: Summary['steps']): string[] {
  const counts = Object.entries(steps).map(([name, count]) => `${name} ${count}`);
  return counts.length === 0 ? [] : [`steps entered: ${counts.join(', ')}`];
}
