import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { pending } from '../src/store/migrate.ts';
import { builtMain } from './support/built.ts';
import { emptyDatabase } from './support/database.ts';
import { ROOT } from './support/repository.ts';

const unit = await readFile(join(ROOT, 'docs/systemd/maedal.service'), 'utf8');
const loaded = [...unit.matchAll(/^(?:# )?LoadCredential=(\w+):\/etc\/maedal\/secrets\/\1$/gm)].map(
  ([, name]) => name ?? '',
);

test('the systemd unit waits for charges in flight, restarts, and holds secrets as credentials', () => {
  const lines = ['Type=simple', 'Restart=always', 'TimeoutStopSec=100', 'KillMode=mixed', 'LimitCORE=0'];
  const hardening = ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes'];
  expect(unit.split('\n')).toEqual(expect.arrayContaining([...lines, ...hardening]));
  const used = [...unit.matchAll(/^(?:# )?Environment=\w+_FILE=%d\/(\w+)$/gm)].map(([, name]) => name ?? '');
  expect(loaded).toContain('redis_url');
  expect(loaded.toSorted()).toEqual(used.toSorted());
});

test('the migrate step in its head works as it is written, with nothing but the files that the unit reads', async () => {
  const [step = ''] = /\(set -a[\s\S]*? migrate\)/.exec(unit.replaceAll(/^# ?/gm, '')) ?? [];
  const directory = await mkdtemp(join(tmpdir(), 'maedal-systemd-'));
  const database = await emptyDatabase();
  try {
    await mkdir(join(directory, 'secrets'));
    await writeFile(join(directory, 'maedal.env'), 'MAEDAL_ENV=test\n');
    for (const name of loaded.filter((one) => one !== 'redis_url')) {
      const secret = name === 'database_url' ? database.url : 's'.repeat(32);
      await writeFile(join(directory, 'secrets', name), `${secret}\n`, { mode: 0o600 });
    }
    const script = step.replaceAll('/etc/maedal', directory).replace('node dist/main.js', '"$NODE" "$MAIN"');
    const env = { PATH: process.env.PATH, NODE: process.execPath, MAIN: builtMain() };
    await promisify(execFile)('bash', ['-c', script], { cwd: directory, env });
    expect(await pending(database.url)).toEqual([]);
  } finally {
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  }
});
