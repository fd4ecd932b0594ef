import type { App } from '../app.ts';
import { storeTestCards } from '../gateway/portone/test-cards.ts';
import type { ImportDeps } from '../operator/import/import-file.ts';
import { findTestCard } from '../sandbox/cards.ts';
import { openDb } from '../store/db.ts';

/** Hands over what an import needs; its statements may take as long as the file is large. */
export async function withImportDeps<Result>(app: App, work: (deps: ImportDeps) => Promise<Result>): Promise<Result> {
  const db = openDb({ url: app.databaseUrl, who: 'maedal/import', connections: 2, statementTimeoutMs: 0 });
  try {
    return await work({ db, ...importSettings(app) });
  } finally {
    await db.$disconnect();
  }
}

/** What rows are read by, and where test cards are stored. */
export function importSettings({ config }: App): Omit<ImportDeps, 'db'> {
  const sandbox = {
    isTestCard: (card: string) => findTestCard(card) !== null,
    storeTestCards: (entries: Parameters<typeof storeTestCards>[1]) => storeTestCards(config.gateway.baseUrl, entries),
  };
  return {
    plans: config.plans,
    channels: Object.keys(config.channels),
    policies: Object.keys(config.policies),
    timezone: config.timezone,
    chargeAt: config.chargeAt,
    sandbox: config.gateway.kind === 'sandbox' ? sandbox : null,
  };
}
