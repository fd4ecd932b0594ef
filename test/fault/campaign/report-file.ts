import { rewriteBlock } from '../report-block.ts';
import { passedIn } from './passed.ts';
import type { Report } from './report.ts';

/** Writes a run's row into a document's table of runs, in the place of an earlier run of the same command. */
export function writeReport(path: string, report: Report): Promise<void> {
  return rewriteBlock(path, 'campaign', (old) => {
    const own = `| ${runOf(report)} |`;
    const rows = old.split('\n').filter((line) => line.startsWith('| `') && !line.startsWith(own));
    return [...HEAD, ...rows, rowOf(report), '', kindsOf(report), ''].join('\n');
  });
}

function runOf({ command }: Report): string {
  return `\`${command.slice(command.indexOf('--charges'))}\``;
}

function rowOf(report: Report): string {
  const { faults, unknownSeconds, plan } = report;
  const struck = GROUPS.map(([group, where]) => `${total(faults[group])} ${where}`).join(', ');
  const { fired, of, least } = coverage(report);
  const cells = [
    runOf(report),
    count(report.sends),
    count(report.captures),
    report.doubles > 0 && plan.late > 1 ? `${report.doubles}, each found and given back` : count(report.doubles),
    ...[report.losses, report.openAfterQuiesce, report.violations.length].map(count),
    `${count(report.ambiguous)}; ${unknownSeconds.p50} s, ${unknownSeconds.p99} s`,
    `${report.longestRecoverySeconds} s`,
    struck,
    `${fired} of ${of}, least ${least}`,
    `${report.finishedAt.slice(0, 10)}, ${Math.round(report.wallSeconds / 60)} min`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What struck how often, one line for each place. */
function kindsOf({ faults, command }: Report): string {
  const lines = GROUPS.map(([group, where]) => {
    const kinds = Object.entries(faults[group] ?? {}).sort(([, one], [, other]) => other - one);
    return `- ${where}: ${kinds.map(([kind, times]) => `${kind} ${count(times)}`).join(', ') || 'none'}`;
  });
  return [`By kind, in \`${command}\`:`, '', ...lines].join('\n');
}

function coverage({ faults, plan }: Report): { readonly fired: number; readonly of: number; readonly least: number } {
  const times = passedIn(plan).map((name) => faults.failpoints?.[name] ?? 0);
  return { fired: times.filter((each) => each > 0).length, of: times.length, least: Math.min(...times) };
}

function total(counts: Readonly<Record<string, number>> | undefined): string {
  return count(Object.values(counts ?? {}).reduce((sum, each) => sum + each, 0));
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

const GROUPS = [
  ['process', 'at processes'],
  ['wire', 'on the wire'],
  ['gateway', 'at the gateway'],
  ['merchant', 'at the merchant’s'],
  ['failpoints', 'failpoints'],
  ['jobs', 'jobs nobody of ours added'],
  ['people', 'by operators'],
] as const;

const HEAD = [
  '| Run | Sends | Captures | Doubles | Losses | Open at the end | Broken rules | Unknown for a while: how many; median, p99 | Longest recovery | Faults | Failpoints | When |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|',
];
