import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { promisify } from 'node:util';

import { describe, expect, test } from '@jest/globals';

import { ConfigError } from '../../src/config/config-error.ts';
import { findConfigFile, loadConfigFile, refuseForeignWriters } from '../../src/config/load-config.ts';
import { file as fileIn, newDir } from './temporary.ts';

const dir = newDir();
const file = (name: string, text: string) => fileIn(dir, name, text);

describe('loading', () => {
  test('TypeScript anywhere on disk, with maedal by its name', async () => {
    const path = file(
      'typed.config.ts',
      `import { defineConfig, type UserConfig } from 'maedal';
       import { name } from './part.ts';
       const plans: UserConfig['plans'] = { basic: { name, amount: 9_900, currency: 'KRW', interval: 'month' } };
       export default defineConfig({ catchUp: 'all', plans });`,
    );
    file('part.ts', `export const name: string = '월 구독';`);
    expect(await loadConfigFile(path)).toEqual({
      catchUp: 'all',
      plans: { basic: { name: '월 구독', amount: 9_900, currency: 'KRW', interval: 'month' } },
    });
  });

  test('JavaScript, and a plain object', async () => {
    expect(await loadConfigFile(file('plain.config.mjs', `export default { catchUp: 'hold' }`))).toEqual({
      catchUp: 'hold',
    });
  });

  test('a changed file is read anew', async () => {
    const path = file('changing.config.ts', `export default { catchUp: 'all' }`);
    await loadConfigFile(path);
    file('changing.config.ts', `export default { catchUp: 'hold' }`);
    expect(await loadConfigFile(path)).toEqual({ catchUp: 'hold' });
  });

  test.each([
    ['throws.config.ts', `throw new Error('no plans today')`, 'cannot be loaded: no plans today'],
    ['throws-text.config.ts', `throw 'no plans today'`, 'cannot be loaded: it threw no plans today'],
    ['syntax.config.ts', `\nexport default { plans: {, };`, 'syntax.config.ts:2:'],
    ['syntax.config.mjs', `\nexport default { plans: {, };`, 'syntax.config.mjs:2:'],
    ['import.config.ts', `import 'no-such-package'; export default {}`, 'no-such-package'],
    ['rejects.config.mjs', `export default Promise.reject(new Error('no plans today'))`, 'cannot be loaded: no plans'],
    ['named.config.ts', `export const config = {}`, 'has no default export'],
    ['empty.config.ts', '', 'has no default export'],
  ])('%s is refused with its path and the reason', async (name, text, reason) => {
    const path = file(name, text);
    const loading = loadConfigFile(path);
    await expect(loading).rejects.toThrow(ConfigError);
    await expect(loading).rejects.toThrow(path);
    await expect(loading).rejects.toThrow(reason);
  });
});

describe('finding', () => {
  const cwd = newDir();
  const example = file('example.config.ts', 'export default {}');

  test('the example serves where there is no other', () => expect(findConfigFile(null, cwd, example)).toBe(example));

  test('one’s own goes before the example, a named one before both', () => {
    const own = fileIn(cwd, 'maedal.config.ts', 'export default {}');
    expect(findConfigFile(null, cwd, example)).toBe(own);
    const named = file('named-by-variable.config.ts', 'export default {}');
    expect(findConfigFile(named, cwd, example)).toBe(named);
  });

  test('a named one that is missing is refused, not replaced', () => {
    expect(() => findConfigFile('/nowhere/x.ts', cwd, example)).toThrow('MAEDAL_CONFIG names /nowhere/x.ts');
  });

  test('none at all is refused', () => {
    expect(() => findConfigFile(null, dir, '/nowhere/example.ts')).toThrow(ConfigError);
  });
});

test('a configuration is a program: others may read it, never write it', async () => {
  const path = file('shared.config.ts', 'export default {}');
  await chmod(path, 0o644);
  refuseForeignWriters(path);
  for (const mode of [0o664, 0o646]) {
    await chmod(path, mode);
    expect(() => refuseForeignWriters(path)).toThrow(`${path} can be changed by other users`);
  }
});

test('a folder is no configuration file', async () => {
  await expect(loadConfigFile(dir)).rejects.toThrow(`${dir} is a folder`);
});

test.each([
  ['const every = setInterval; every(() => 1, 60_000)', 'a timer'],
  [
    "import { createServer } from 'node:net'; await new Promise((done) => createServer().listen(0, '127.0.0.1', done))",
    'a server',
  ],
])(
  'a file that leaves something running is refused, for each process and thread would have it once more: %s',
  async (code, what) => {
    const script = `
    const { createJiti } = await import('jiti');
    const { loadConfigFile } = await createJiti(${JSON.stringify(import.meta.url)}).import('../../src/config/load-config.ts');
    await loadConfigFile(process.argv[1]).catch((error) => console.log(error.message));
    process.exit();`;
    const path = file('busy.config.ts', `${code};\nexport default {};`);
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, path]);
    expect(stdout).toContain(`leaves ${what} behind`);
  },
);
