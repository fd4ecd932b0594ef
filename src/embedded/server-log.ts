import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** PostgreSQL's log, open for appending, and how long it was then. */
export type ServerLog = { readonly handle: FileHandle; readonly path: string; readonly start: number };

/** Opens the log of a data directory. One that has grown beyond 8 MiB begins anew; call only while no server runs. */
export async function openLog(dataDir: string): Promise<ServerLog> {
  const path = join(dataDir, 'postgres.log');
  const handle = await open(path, 'a+', 0o600);
  const { size } = await handle.stat();
  if (size <= MAX_BYTES) return { handle, path, start: size };
  await handle.truncate();
  return { handle, path, start: 0 };
}

/** The last lines that were logged since it was opened, with the place to read on. */
export async function logTail(log: ServerLog): Promise<string> {
  const { size } = await log.handle.stat();
  const from = Math.max(log.start, size - 1_000);
  const { buffer, bytesRead } = await log.handle.read(Buffer.alloc(1_000), 0, 1_000, from);
  return `${buffer.toString('utf8', 0, bytesRead).trim()} (see ${log.path})`;
}

const MAX_BYTES = 8 * 1024 * 1024;
