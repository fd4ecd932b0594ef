import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { ATTEMPT_CHART } from '../src/billing/attempt.ts';
import { INVOICE_CHART } from '../src/billing/invoice.ts';
import { REFUND_CHART } from '../src/billing/refund.ts';
import { SUBSCRIPTION_CHART } from '../src/billing/subscription-status.ts';
import { run } from '../src/cli/program.ts';
import { inspectEnvironment } from '../src/config/environment.ts';
import { fileSchema } from '../src/config/schema.ts';
import { COLUMNS } from '../src/operator/import/columns.ts';
import { TEST_CARDS } from '../src/sandbox/cards.ts';
import { anchorsOf, blocksOf, codesIn, firstCode, linksIn, tableRows, withoutBlocks } from './support/markdown.ts';
import { ROOT, repositoryFiles } from './support/repository.ts';
import { ofAnyClass, type Setting, settingsOf } from './support/settings.ts';

const files = repositoryFiles();
const documents = files.filter(({ path }) => path.endsWith('.md'));
const READMES = ['README.md', 'README.ko.md'] as const;

test('there are documents to keep true', () => {
  const names = documents.map(({ path }) => path);
  expect(names).toEqual(expect.arrayContaining([...READMES, 'CHANGELOG.md', 'docs/architecture.md', 'docs/states.md']));
});

test.each(READMES)('%s names the environment variables that are read, and no others', (readme) => {
  const asked = environmentAsked();
  const secretFiles = asked.filter((name) => name.endsWith('_FILE') && asked.includes(name.replace(/_FILE$/, '')));
  const named: string[] = text(readme).match(NAMES) ?? [];
  expect(asked.filter((name) => !secretFiles.includes(name) && !named.includes(name))).toEqual([]);
  expect(named.filter((name) => !asked.includes(name))).toEqual([]);
  const marked = rowsOf(readme).filter((row) => /^\| `[A-Z_]+` ● \|/.test(row));
  const secrets = secretFiles.map((name) => name.replace(/_FILE$/, '')).filter((name) => !name.startsWith('IMP_'));
  expect(marked.map(firstCode).sort()).toEqual(secrets.sort());
});

let help: ReadonlyMap<string, string>;
beforeAll(async () => {
  const whole = await helpOf([]);
  const commands = whole.split('Commands:')[1] ?? '';
  const names = [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name ?? '');
  const entries: [string, string][] = [];
  for (const name of names) if (name !== 'help') entries.push([name, await helpOf([name])]);
  help = new Map(entries);
});

test.each(READMES)('%s has a row for every command and names each of its options', (readme) => {
  expect(help.size).toBeGreaterThan(5);
  const rows = rowsOf(readme).filter((row) => row.startsWith('| `maedal '));
  expect(rows.map((row) => /`maedal ([a-z-]+)/.exec(row)?.[1])).toEqual([...help.keys()]);
  for (const [name, usage] of help) {
    const row = rows.find((line) => line.startsWith(`| \`maedal ${name}`)) ?? '';
    const words = [...usage.matchAll(/^ +(--[a-z-]+(?: <\w+>)?)/gm), ...usage.matchAll(/^Usage:.*?( <\w+>)$/gm)];
    for (const [, word] of words) expect(row).toContain(`${word}\``);
  }
});

test.each(READMES)('%s has a row for every setting of the file, with its default and its bounds', (readme) => {
  const rows = rowsOf(readme);
  const settings = settingsOf(z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }), '').map(ofAnyClass);
  expect(settings.length).toBeGreaterThan(20);
  const told = ({ path, facts }: Setting) =>
    rows.some((row) => firstCode(row) === path && facts.every((fact) => row.includes(fact)));
  expect(settings.filter((setting) => !told(setting))).toEqual([]);
  const paths = settings.map(({ path }) => path);
  const shown = rows
    .map(firstCode)
    .filter((key) => /^(channels|plans|dunning|declines|hooks|events|limits)\./.test(key));
  expect(shown.filter((key) => !paths.includes(key))).toEqual([]);
});

test.each(READMES)(
  '%s has a row for every column of the import, every test card and every script it runs',
  (readme) => {
    const from = text(readme).split('| `subscription_id` |')[1] ?? '';
    const table = `| \`subscription_id\` |${from.split('\n\n')[0]}`.split('\n');
    const columns = table.flatMap((row) => codesIn(row.split('|')[1] ?? ''));
    expect(columns.sort()).toEqual([...COLUMNS].sort());
    const codes = codesIn(text(readme));
    expect(TEST_CARDS.map(({ name }) => name).filter((name) => !codes.includes(name))).toEqual([]);
    const scripts = [...text(readme).matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name]) => name);
    const manifest = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(text('package.json')));
    expect(scripts.filter((name) => manifest.scripts[name ?? ''] === undefined)).toEqual([]);
  },
);

test.each(READMES)('%s has no secrets generated where git would take them up', (readme) => {
  const directories = [...text(readme).matchAll(/MAEDAL_DATA_DIR=(\S+)/g)].map(([, directory]) => directory ?? '');
  expect(directories).not.toEqual([]);
  for (const directory of directories) expect(directory).toMatch(/^\.maedal[\w-]*$/);
  expect(readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n')).toContain('.maedal*/');
});

test('the two READMEs show the same commands and outputs, tables, headings and links', () => {
  const [english, korean] = READMES.map(text);
  expect(blocksOf(korean ?? '')).toEqual(blocksOf(english ?? ''));
  expect(rowsOf('README.ko.md').map(firstCode)).toEqual(rowsOf('README.md').map(firstCode));
  const shape = (source: string) => withoutBlocks(source).match(/^#+(?= )/gm);
  expect(shape(korean ?? '')).toEqual(shape(english ?? ''));
  const targets = (source: string) => linksIn(source).filter((link) => !/^#|README/.test(link));
  expect(targets(korean ?? '')).toEqual(targets(english ?? ''));
});

test.each(READMES)('%s names one command for the tests', (readme) => {
  const commands = blocksOf(text(readme)).filter((block) => /\bnpm (cit|t|test)\b/.test(block));
  expect(new Set(commands)).toEqual(new Set(['```sh\nnpm cit\n```']));
});

test('every relative link leads somewhere, its heading included', () => {
  const broken = documents.flatMap(({ path, text: source }) =>
    linksIn(source)
      .filter((link) => !/^https?:/.test(link) && !resolves(path, link))
      .map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('every file that a document names is there', () => {
  const lost = documents.flatMap(({ path, text: source }) =>
    codesIn(source)
      .filter((code) => /^(src|test|prisma|docs|examples)\/[\w./-]*$/.test(code) && !existsSync(join(ROOT, code)))
      .map((code) => `${path}: ${code}`),
  );
  expect(lost).toEqual([]);
});

test('the map of the architecture is the tree of src', () => {
  const [block = ''] = blocksOf(text('docs/architecture.md'));
  const drawn = [...block.matchAll(/^[├└]── ([\w.-]+)/gm)].map(([, name]) => name);
  expect(drawn.sort()).toEqual(readdirSync(join(ROOT, 'src')).sort());
});

test.each([
  ['## Attempt', 'maedal_attempt_guard()', ATTEMPT_CHART, 20],
  ['## Invoice', 'maedal_invoice_guard()', INVOICE_CHART, 29],
  ['## Refund', 'maedal_refund_guard()', REFUND_CHART, 9],
  ['## Subscription', 'maedal_subscription_guard()', SUBSCRIPTION_CHART, 17],
] as const)('the chart under %s is the one that the database keeps, and the core', (heading, trigger, chart, least) => {
  const sql = files.filter(({ path }) => path.endsWith('migration.sql')).map((file) => file.text);
  const guard = sql.join('\n').split(`FUNCTION ${trigger} RETURNS`).at(-1)?.split('THEN')[0] ?? '';
  const kept = [...guard.matchAll(/\('(\w+)', '(\w+)'\)/g)].map(([, from, to]) => `${from} → ${to}`);
  expect(kept.length).toBeGreaterThan(least);
  expect(arrowsUnder(heading).sort()).toEqual(kept.sort());
  const inTheCore = Object.entries<readonly string[]>(chart).flatMap(([from, to]) =>
    to.map((state) => `${from} → ${state}`),
  );
  expect(inTheCore.sort()).toEqual(kept.sort());
});

test('decisions are numbered without a gap and have one form', () => {
  const decisions = documents.filter(({ path }) => path.startsWith('docs/decisions/'));
  expect(decisions.map(({ path }) => path.slice(15, 19))).toEqual(
    decisions.map((_, at) => `${at + 1}`.padStart(4, '0')),
  );
  for (const { path, text: source } of decisions) {
    expect(source.startsWith(`# ${path.slice(15, 19)}. `)).toBe(true);
    expect(source.match(/^## .*$/gm)).toEqual(['## Context', '## Decision', '## Consequences']);
  }
});

test('the change log tells of this version', () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text('package.json')));
  expect(text('CHANGELOG.md')).toContain(`\n## [${version}] - `);
});

test('no document names a place on the machine that it was written on', () => {
  const places = /(?<![\w.~}*…])\/(work|srv|tmp|root\/|home|Users)\b/;
  const found = documents.filter(({ text: source }) => places.test(source.replaceAll('`/root`', '')));
  expect(found.map(({ path }) => path)).toEqual([]);
});

const NAMES = /\b(MAEDAL|PORTONE|IMP)_[A-Z_]+\b|\b(DATABASE|REDIS)_URL(_FILE)?\b|\bLOG_LEVEL\b/g;

/** Every name that maedal looks for in the environment. */
function environmentAsked(): string[] {
  const asked = new Set<string>();
  const ask = (_: object, name: string | symbol) => void asked.add(String(name));
  inspectEnvironment(new Proxy({}, { get: ask }), ROOT);
  return [...asked];
}

async function helpOf(command: readonly string[]): Promise<string> {
  let printed = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk);
    return true;
  });
  const context = { print: () => undefined, stopped: new AbortController().signal, mayTakeToStop: () => undefined };
  try {
    await run([...command, '--help'], context, () => undefined);
    return printed;
  } finally {
    spy.mockRestore();
  }
}

function text(path: string): string {
  return files.find((file) => file.path === path)?.text ?? '';
}

function rowsOf(path: string): string[] {
  return tableRows(text(path));
}

function resolves(from: string, link: string): boolean {
  const [target = '', anchor] = link.split('#');
  const path = target === '' ? from : normalize(join(dirname(from), target));
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || anchorsOf(text(path)).includes(anchor);
}

function arrowsUnder(heading: string): string[] {
  const section = text('docs/states.md').split(`${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} → ${to}`);
}
