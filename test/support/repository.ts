import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';

/** The repository's root, with a slash at its end; the same for a test that was compiled into a folder of it. */
export const ROOT =
  ['../../', '../../../']
    .map((up) => new URL(up, import.meta.url).pathname)
    .filter((folder) => existsSync(join(folder, 'package.json')))[0] ?? '/';

/** A file of the repository: its path from the root, and its text. */
export type SourceFile = { readonly path: string; readonly text: string };

/** Every file that is not ignored by git, sorted by path. Reads the folders, for a copy may come without its `.git`. */
export function repositoryFiles(): SourceFile[] {
  const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n').filter(Boolean);
  return filesBelow(ROOT, ignored.map(patternOf))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** Everything a file imports, types included: packages as written, files of ours by their path from the root. */
export function importsOf({ path, text }: SourceFile): string[] {
  return [...withoutComments(text).matchAll(IMPORT)]
    .map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '')
    .map((specifier) => (specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier));
}

/** The code alone. Good enough for ours: no string of ours holds a comment. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/ .*$/gm, '');
}

const IMPORT = /^(?:import|export)\b[^'";]*?\bfrom\s+'([^'\n]+)'|^import\s+'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm;

/** A line of `.gitignore`, for paths. Of its patterns we use a slash in front, for the root alone, and `*`. */
function patternOf(line: string): RegExp {
  const parts = line.replaceAll(/^\/|\/$/g, '').split('*');
  const name = parts.map((part) => part.replaceAll('.', '\\.')).join('[^/]*');
  return new RegExp(line.startsWith('/') ? `^${name}$` : `(^|/)${name}$`);
}

function filesBelow(folder: string, ignored: readonly RegExp[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = relative(ROOT, join(folder, entry.name));
    const isIgnored = ignored.some((pattern) => pattern.test(path));
    if (entry.name === '.git' || isIgnored) return [];
    return entry.isDirectory() ? filesBelow(join(folder, entry.name), ignored) : [path];
  });
}
