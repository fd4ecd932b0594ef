import { invoiceOf, type World } from './world.ts';

type Wanted = { readonly amount?: number; readonly checksum?: number; readonly requestedBy?: string };

/** Asks for a refund of the payment that settled a subscription's only invoice; due at once. Answers its row id. */
export async function wantRefund(world: World, subscription: string, wanted: Wanted = {}): Promise<string> {
  const { id, attempts } = await invoiceOf(world, subscription);
  const impUid = attempts.find((attempt) => attempt.state === 'paid')?.imp_uid ?? '';
  const observation = await world.database.db.observation.findUniqueOrThrow({ where: { imp_uid: impUid } });
  const left = Number((observation.amount ?? 0n) - observation.cancel_amount);
  const refund = await world.database.db.refund.create({
    data: {
      invoice_id: id,
      imp_uid: impUid,
      amount: wanted.amount ?? left,
      currency: 'KRW',
      checksum: wanted.checksum ?? left,
      reason: 'asked by the payer',
      requested_by: wanted.requestedBy ?? 'cli:a test',
      next_at: world.now.toJSDate(),
    },
  });
  return refund.id;
}

/** A refund's row. */
export async function refundRow(world: World, id: string) {
  return world.database.db.refund.findUniqueOrThrow({ where: { id } });
}

/** What went back to the payer, in minor units. */
export function givenBack(world: World, impUid: string): number {
  return world.gateway.records.find((record) => record.impUid === impUid)?.cancelMinor ?? 0;
}
