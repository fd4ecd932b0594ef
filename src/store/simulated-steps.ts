import type { Db } from './db.ts';

/** A step of dunning that an invoice of a throw-away database has entered. */
export type SimulatedStep = {
  readonly subscription: string;
  readonly periodKey: string;
  readonly name: string;
  readonly enteredAt: Date;
};

/** All that were entered since `from`, in that order. */
export async function readSimulatedSteps(db: Db, from: Date): Promise<SimulatedStep[]> {
  return db.$queryRaw<SimulatedStep[]>`
    SELECT payload ->> 'subscription_id' AS subscription, payload ->> 'period' AS "periodKey", payload ->> 'step' AS name, created_at AS "enteredAt"
      FROM outbox WHERE kind = 'dunning.step_entered' AND created_at >= ${from} ORDER BY id`;
}
