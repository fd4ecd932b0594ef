import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtMain } from './built.ts';
import { freePort, runMaedal } from './process.ts';
import type { World } from './world.ts';

/** Runs a command of the built program beside a world, on its database, which becomes that program's. Exit code and all lines. */
export async function beside(
  { database }: World,
  ...args: readonly string[]
): Promise<{ readonly code: number | string; readonly says: string }> {
  const home = await mkdtemp(join(tmpdir(), 'maedal-beside-'));
  try {
    const config = join(home, 'maedal.config.ts');
    await writeFile(config, 'export default {};');
    await database.db.$executeRaw`UPDATE control SET fingerprint = NULL`;
    const settings = {
      DATABASE_URL: database.url,
      MAEDAL_DATA_DIR: home,
      MAEDAL_CONFIG: config,
      PORTONE_BASE_URL: `http://127.0.0.1:${await freePort()}`,
      LOG_LEVEL: 'warn',
    };
    const process = runMaedal(builtMain(), args, settings, home);
    return { code: await process.ended, says: process.lines.join('\n') };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
