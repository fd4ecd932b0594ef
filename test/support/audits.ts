import { expect } from '@jest/globals';
import { auditIfDue } from '../../src/scheduler/audit-turn.ts';
import type { Db } from '../../src/store/db.ts';
import type { World } from './world.ts';

/** The audit of a scheduler that has just started. */
export function auditAtBoot(world: World, deps = world.audits): ReturnType<typeof auditIfDue> {
  return auditIfDue(deps, world.now);
}

/** What audits reported so far, by kind of finding. */
export function findingsOf({ events }: World): string[] {
  return events.flatMap((event) => (event.kind === 'audit.found' ? [event.found] : []));
}

/** The installation's one row. */
export function controlOf({ database }: World) {
  return database.db.control.findUniqueOrThrow({ where: { id: 1 } });
}

/** Charges `count` subscriptions, an hour and a bit ago. */
export async function chargeSome(world: World, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) names.push(await world.subscribe());
  await world.run();
  expect(world.gateway.captures).toHaveLength(count);
  await world.advance({ minutes: 61 });
  return names;
}

/** The database as a backup from before its charges brings it back, all subscriptions due at this instant. */
export async function restoreBackup(db: Db, due: Date): Promise<void> {
  for (const table of ['outbox', 'observation', 'attempt', 'invoice', 'audit']) {
    await db.$executeRawUnsafe(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    await db.$executeRawUnsafe(`DELETE FROM ${table}`);
    await db.$executeRawUnsafe(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  }
  await db.$executeRaw`UPDATE subscription SET next_period = 0, next_due_at = ${due}, last_drawn_at = NULL`;
}
