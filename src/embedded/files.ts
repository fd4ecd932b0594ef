import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';

/** The text of a file, or `null` if there is none. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Writes a file that is never seen half-written, not even after kill -9. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode, flag: 'wx', flush: true });
  await rename(draft, path);
}

/** The account that a file or directory belongs to, or `null` if it does not exist. */
export async function ownerOf(path: string): Promise<{ uid: number; gid: number } | null> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Whether `error` carries one of these codes of the system. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  // Not `instanceof Error`: what the system throws is of another realm when this runs inside a test's context.
  return typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);
}
