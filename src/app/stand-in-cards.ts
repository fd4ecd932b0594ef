import type { App } from '../app.ts';
import { importFile } from '../operator/import/import-file.ts';
import { importSettings, withImportDeps } from './import-deps.ts';

/** Imports a file at a sandbox of its own, where whoever names no test card has one that is charged. */
export async function importWithCards(app: App, file: string): Promise<void> {
  const named = new Set<string>();
  await withImportDeps(app, async (deps) => {
    const { sandbox } = deps;
    if (sandbox === null) throw new Error('there is no sandbox');
    const storeTestCards: typeof sandbox.storeTestCards = async (entries) => {
      for (const { customerUid } of entries) named.add(customerUid);
      await sandbox.storeTestCards(entries);
    };
    await importFile({ ...deps, sandbox: { ...sandbox, storeTestCards } }, file, { dryRun: false });
  });
  await approveOthers(app, named);
}

/** Stores a test card that is charged for every billing key of the database but these. */
export async function approveOthers(app: App, named: ReadonlySet<string>): Promise<void> {
  const keys = await app.db.billing_key.findMany({ select: { customer_uid: true } });
  const others = keys.map((key) => key.customer_uid).filter((customerUid) => !named.has(customerUid));
  await importSettings(app).sandbox?.storeTestCards(others.map((customerUid) => ({ customerUid, card: 'approve' })));
}
