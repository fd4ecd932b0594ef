import { expect, test } from '@jest/globals';
import { importsOf, repositoryFiles, type SourceFile, withoutComments } from './support/repository.ts';

/** Which folders of ours each folder may import. Flows and edges meet in rows, never in calls. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  billing: [],
  store: ['billing'],
  queue: ['billing'],
  gateway: ['billing'],
  hooks: ['billing'],
  scheduler: ['billing', 'store', 'queue', 'gateway'],
  worker: ['billing', 'store', 'gateway', 'hooks', 'queue'],
  inbound: ['billing', 'store', 'queue'],
  notify: ['billing', 'store', 'hooks'],
  operator: ['billing', 'store', 'queue', 'gateway'],
  sandbox: ['billing'],
  embedded: [],
  config: ['billing'],
  simulate: ['app', 'billing', 'config', 'embedded', 'sandbox', 'store'],
  testing: ['billing', 'config', 'hooks', 'sandbox'],
};

/** Single files that every folder but the core may use; those among them that use nothing of ours. */
const COMMON: ReadonlySet<string> = new Set(['clock', 'events', 'failpoints', 'nearest-name', 'own-files']);
const LEAVES: ReadonlySet<string> = new Set(['clock', 'nearest-name', 'own-files']);

/** A few files of a folder that is closed otherwise, each for its reason. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  embedded: ['billing/errors.ts'], // what a person can put right is an InputError everywhere
  testing: ['simulate/virtual-clock.ts'], // a merchant's tests move time as simulations do
};

/** Who wires and speaks to people: all folders are open to them, but not one another upwards. */
const ABOVE: Readonly<Record<string, readonly string[]>> = { main: [], cli: ['main'], app: ['main', 'cli'] };

/** Who may know how maedal is wired, configured and logged. */
const WIRING: Readonly<Record<string, readonly string[]>> = {
  app: ['main', 'cli', 'simulate'],
  config: ['main', 'cli', 'app', 'simulate', 'index', 'testing'],
  log: ['main', 'cli', 'app', 'simulate'],
  cli: ['main'],
  main: [],
  index: [],
  testing: [],
};

/** Where each package may be imported; luxon and zod are words of every folder. A new package is placed here first. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@bull-board/api': ['operator'],
  '@bull-board/fastify': ['operator'],
  '@fastify/cookie': ['operator'],
  '@fastify/formbody': ['operator', 'sandbox'],
  '@fastify/helmet': ['operator'],
  '@fastify/rate-limit': ['operator'],
  '@prisma/adapter-pg': ['store'],
  '@prisma/client': ['store'],
  bullmq: ['queue'],
  'close-with-grace': ['main'],
  commander: ['cli', 'main'],
  croner: ['config', 'scheduler'],
  'csv-parse': ['operator'],
  fastify: ['operator', 'sandbox', 'inbound'],
  ioredis: ['queue'],
  'ipaddr.js': ['hooks'],
  jiti: ['config'],
  leven: ['nearest-name'],
  pg: ['store', 'queue', 'embedded'],
  pino: ['log'],
  'pino-pretty': ['log'],
  qs: ['sandbox', 'gateway'],
  standardwebhooks: ['hooks'],
  'stream-json': ['operator'],
  undici: ['gateway', 'hooks', 'sandbox'],
};

/** Words of the real world, and the only places that may use them. */
const ONLY_IN: readonly (readonly [what: string, pattern: RegExp, files: RegExp])[] = [
  ['the environment', /\bprocess\.env\b/, /^src\/config\//],
  ['the end of the process', /\bprocess\.exit\b/, /^src\/main\.ts$/],
  ['the present instant', /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/, /^src\/clock\.ts$/],
  ["luxon's present instant", /\bDateTime\.(now|local\(\)|utc\(\))/, /^src\/clock\.ts$/],
  ['timers', /\bset(Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|node:time[r]s/, /^src\/clock\.ts$/],
  ['chance', /\bMath\.random\b/, /^$/],
  ['SQL', /\$(queryRaw|executeRaw)/, /^src\/store\//],
  ["the runtime's own HTTP client", /(?<![.\w])fetch\(|\bhttps?\.(get|request)\(/, /^src\/testing\/sandbox\.ts$/],
];

const files = repositoryFiles();
const sources = files.filter(({ path }) => /^src\/.*\.ts$/.test(path));
const tests = files.filter(({ path }) => /^test\/.*\.ts$/.test(path));
const imports = new Map(sources.map((file) => [file.path, importsOf(file)]));

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(imports.get('src/store/migrate.ts')).toContain('pg');
  expect(imports.get('src/app.ts')).toContain('src/store/migrate.ts');
});

test('every folder of src is one of the design', () => {
  const known = new Set([...Object.keys(MAY_IMPORT), ...Object.keys(ABOVE), ...Object.keys(WIRING), ...COMMON]);
  expect(sources.map(ownerOf).filter((owner) => !known.has(owner))).toEqual([]);
});

test('imports run one way: main, cli, app, flows, edges, billing', () => {
  expect(eachImport((owner, target) => isOurs(target) && !isAllowed(owner, target))).toEqual([]);
});

test('packages stay in the folders that know them', () => {
  expect(
    eachImport((owner, target) => {
      if (isOurs(target) || /^(node:.*|luxon|zod)$/.test(target)) return false;
      return !(HOMES[packageOf(target)] ?? []).includes(owner);
    }),
  ).toEqual([]);
});

test('the core imports itself and luxon, nothing of Node and no other package', () => {
  expect(eachImport((owner, target) => owner === 'billing' && !/^(luxon|src\/billing\/.*)$/.test(target))).toEqual([]);
});

test('the generated client stays in store', () => {
  expect(eachImport((owner, target) => owner !== 'store' && target.startsWith('src/store/prisma/'))).toEqual([]);
});

test('no file imports itself by a detour', () => {
  const cycles = sources.map(({ path }) => path).filter((path) => reaches(path, path));
  expect(cycles).toEqual([]);
});

test.each(ONLY_IN)('%s is found in its own place only', (_, pattern, allowed) => {
  const found = sources.flatMap(({ path, text }) =>
    allowed.test(path) ? [] : linesWith(pattern, withoutComments(text)).map((line) => `${path}: ${line}`),
  );
  expect(found).toEqual([]);
});

test('no file has more than 250 lines', () => {
  const counted = files.filter(({ path }) => /\.(ts|js|sql|prisma|ya?ml)$|Dockerfile$|^\.ci\//.test(path));
  const long = counted.filter(({ text }) => text.trimEnd().split('\n').length > 250);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test('the tree is the tree of the design', () => {
  const folders = [...new Set(files.filter(({ path }) => path.includes('/')).map(({ path }) => path.split('/')[0]))];
  expect(folders.filter((name) => !/^(src|prisma|test|examples|docs|\.ci)$/.test(name ?? ''))).toEqual([]);
  const mirrored = new Set([...Object.keys(MAY_IMPORT), 'cli', 'flow', 'fault', 'bench', 'support', 'examples']);
  const astray = tests.filter(({ path }) => path.split('/').length > 2 && !mirrored.has(path.split('/')[1] ?? ''));
  expect(astray.map(({ path }) => path)).toEqual([]);
});

test('a file is named after its one concept', () => {
  const parts = [...sources, ...tests].flatMap(({ path }) =>
    path
      .replace(/(\.test)?\.ts$/, '')
      .split('/')
      .slice(1),
  );
  expect(parts.filter((name) => /^(utils?|helpers?|common|types|constants|misc|shared)$/.test(name))).toEqual([]);
  expect(parts.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  const doors = files.filter(({ path }) => path.endsWith('/index.ts'));
  expect(doors.map(({ path }) => path)).toEqual(['src/index.ts']);
});

test.each([
  ['a note of work left undone', /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/, files],
  [
    'a test that is switched off or set apart',
    /\b(test|it|describe)\.(skip|only|todo|failing)\b|\b[xf](test|it|describe)\(/,
    tests,
  ],
  ['a test that is tried again until it passes', /\bretry[T]imes\b/, tests],
  ['a test that waits for time to pass', /\bset(Timeout|Interval)\(|node:time[r]s/, tests],
  ['a path of one machine', /(?<![\w.~}*])\/(work|root|home\/\w+|Users)\//, files],
  [
    'the address of a package registry',
    /https?:\/\/[\w.-]*(registry|mirror|artifactory|nexus|npmjs)[\w.-]*[:/]/,
    files,
  ],
] as const)('nothing holds %s', (_, pattern, where) => {
  expect(where.flatMap(({ path, text }) => linesWith(pattern, text).map((line) => `${path}: ${line}`))).toEqual([]);
});

/** The folder below src, or the name of a file that lies in src itself. */
function ownerOf({ path }: Pick<SourceFile, 'path'>): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

function isOurs(target: string): boolean {
  return target.startsWith('src/');
}

function isAllowed(owner: string, target: string): boolean {
  const theirs = ownerOf({ path: target });
  if (owner === theirs) return true;
  if (theirs in WIRING && !WIRING[theirs]?.includes(owner)) return false;
  if (owner in ABOVE) return !ABOVE[owner]?.includes(theirs);
  if (COMMON.has(theirs)) return owner !== 'billing';
  if (COMMON.has(owner)) return theirs === 'billing' && !LEAVES.has(owner);
  if (owner === 'log') return theirs === 'billing';
  if (owner === 'index') return ['config', 'billing', 'hooks'].includes(theirs);
  return MAY_IMPORT[owner]?.includes(theirs) === true || EXCEPTIONS[owner]?.includes(target.slice(4)) === true;
}

/** `@scope/name/part` and `name/part` without their parts. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function eachImport(isWrong: (owner: string, target: string) => boolean): string[] {
  return sources.flatMap((file) =>
    (imports.get(file.path) ?? [])
      .filter((target) => isWrong(ownerOf(file), target))
      .map((target) => `${file.path} imports ${target}`),
  );
}

function reaches(from: string, goal: string): boolean {
  const seen = new Set<string>();
  const open = [...(imports.get(from) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (path === goal) return true;
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...(imports.get(path) ?? []));
  }
  return false;
}

function linesWith(pattern: RegExp, text: string): string[] {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.trim().slice(0, 160));
}
