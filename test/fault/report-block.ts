import { readFile, writeFile } from 'node:fs/promises';

/**
 * Rewrites what stands between `<!-- name -->` and `<!-- /name -->` in a Markdown file. Throws where the file has no
 * such place.
 */
export async function rewriteBlock(path: string, name: string, rewrite: (old: string) => string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const from = text.indexOf(begin);
  const until = text.indexOf(end);
  if (from < 0 || until < from) throw new Error(`${path} has no place between ${begin.trim()} and ${end}`);
  const old = text.slice(from + begin.length, until);
  await writeFile(path, `${text.slice(0, from + begin.length)}${rewrite(old)}${text.slice(until)}`);
}
