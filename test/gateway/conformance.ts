import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { ListedPayment } from '../../src/billing/charge.ts';
import { money } from '../../src/billing/money.ts';
import type { Gateway, Window } from '../../src/gateway/gateway.ts';
import { ALWAYS, chargeRequest, uidOf } from './charges.ts';

/** A gateway to be tried, with three keys at the server it speaks to. */
export type Candidate = {
  readonly gateway: Gateway;
  /** The same server, with a key pair that it does not know. */
  readonly stranger: Gateway;
  /** `customer_uid`s. */
  readonly approving: string;
  readonly declining: string;
  readonly unknown: string;
  close(): Promise<void>;
};

const LIMIT_MS = 20_000;

/** The rules that every gateway keeps, whatever stands behind it. */
export function gatewayConformance(name: string, make: () => Promise<Candidate>): void {
  describe(`${name} as a gateway`, () => {
    let candidate: Candidate;
    beforeAll(async () => {
      candidate = await make();
      expect(await candidate.gateway.ready()).toMatchObject({ kind: 'ready' });
    });
    afterAll(async () => {
      await Promise.all([candidate.gateway.close(), candidate.stranger.close()]);
      await candidate.close();
    });
    const charge = (uid: string, customerUid: string) =>
      candidate.gateway.charge(chargeRequest({ merchantUid: uidOf(uid), customerUid }), LIMIT_MS, ALWAYS);

    readinessRules(() => candidate);
    chargeRules(() => candidate, charge);
    repetitionRules(() => candidate, charge);
    cancelRules(() => candidate, charge);
    keyRules(() => candidate);
    listRules(() => candidate, charge);
  });
}

type Charge = (uid: string, customerUid: string) => ReturnType<Gateway['charge']>;

function readinessRules(candidate: () => Candidate): void {
  test('being ready tells the time at the gateway', async () => {
    const readiness = await candidate().gateway.ready();
    if (readiness.kind !== 'ready') throw new Error('not ready');
    expect(readiness.gatewayNowMs).toBeGreaterThan(Date.UTC(2020, 0, 1));
  });

  test('a key pair that is not known is refused, and charges nothing', async () => {
    expect(await candidate().stranger.ready()).toMatchObject({ kind: 'refused' });
    const request = chargeRequest({ merchantUid: uidOf('stranger'), customerUid: candidate().approving });
    expect(await candidate().stranger.charge(request, LIMIT_MS, ALWAYS)).toMatchObject({ kind: 'not-sent' });
    expect(await candidate().gateway.lookUp(uidOf('stranger'))).toEqual({ kind: 'absent' });
  });
}

function chargeRules(candidate: () => Candidate, charge: Charge): void {
  test('an approved charge is paid, as asked, and found again', async () => {
    const answer = await charge('approved', candidate().approving);
    if (answer.kind !== 'paid') throw new Error(`not paid: ${JSON.stringify(answer)}`);
    expect(answer.record).toMatchObject({
      merchantUid: uidOf('approved'),
      customerUid: candidate().approving,
      status: 'paid',
      amount: { minor: 9_900, currency: 'KRW' },
      cancelMinor: 0,
      decline: null,
    });
    expect(answer.record.impUid).toMatch(/^imps_\d{12}$/);
    expect(answer.record.paidAtMs).toBeGreaterThan(0);
    expect(await candidate().gateway.lookUp(uidOf('approved'))).toMatchObject({
      kind: 'found',
      records: [{ impUid: answer.record.impUid, status: 'paid', amount: { minor: 9_900, currency: 'KRW' } }],
    });
  });

  test('a declined charge names a class and the reason, and is found as failed', async () => {
    const answer = await charge('declined', candidate().declining);
    if (answer.kind !== 'declined') throw new Error(`not declined: ${JSON.stringify(answer)}`);
    expect(answer.decline.class).toBe('funds');
    expect(answer.decline.reason).not.toBe('');
    expect(answer.record).toMatchObject({ status: 'failed', decline: answer.decline, paidAtMs: null });
    expect(await candidate().gateway.lookUp(uidOf('declined'))).toMatchObject({
      kind: 'found',
      records: [{ impUid: answer.record.impUid, status: 'failed', decline: answer.decline }],
    });
  });

  test('a charge on an unknown key is refused and leaves nothing behind', async () => {
    const answer = await charge('unknown-key', candidate().unknown);
    expect(answer).toMatchObject({ kind: 'refused', duplicate: false, decline: { class: 'key' } });
    expect(await candidate().gateway.lookUp(uidOf('unknown-key'))).toEqual({ kind: 'absent' });
  });
}

function repetitionRules(candidate: () => Candidate, charge: Charge): void {
  test('an id that was never charged is absent', async () => {
    expect(await candidate().gateway.lookUp(uidOf('never-charged'))).toEqual({ kind: 'absent' });
  });

  test('a paid id is refused as a duplicate and stays paid once', async () => {
    expect((await charge('twice', candidate().approving)).kind).toBe('paid');
    expect(await charge('twice', candidate().approving)).toMatchObject({ kind: 'refused', duplicate: true });
    const found = await candidate().gateway.lookUp(uidOf('twice'));
    expect(found.kind === 'found' ? found.records.map(({ status }) => status) : found).toEqual(['paid']);
  });

  test('a failed id may be charged again, and a look-up shows every record', async () => {
    await charge('again', candidate().declining);
    await charge('again', candidate().approving);
    const found = await candidate().gateway.lookUp(uidOf('again'));
    expect(found.kind === 'found' ? found.records.map(({ status }) => status).sort() : found).toEqual([
      'failed',
      'paid',
    ]);
  });
}

function cancelRules(candidate: () => Candidate, charge: Charge): void {
  const won = (minor: number) => money(minor, 'KRW');
  const paid = async (uid: string) => {
    const answer = await charge(uid, candidate().approving);
    if (answer.kind !== 'paid') throw new Error(`not paid: ${JSON.stringify(answer)}`);
    return answer.record.impUid;
  };
  const cancel = (impUid: string, amount: number, checksum: number) =>
    candidate().gateway.cancel(
      { impUid, amount: won(amount), checksum: won(checksum), reason: 'a test' },
      LIMIT_MS,
      ALWAYS,
    );

  test('a payment is found by its imp_uid, test payments too, and nothing of it is cancelled', async () => {
    const impUid = await paid('one-payment');
    expect(await candidate().gateway.payment(impUid)).toMatchObject({
      kind: 'found',
      record: { impUid, merchantUid: uidOf('one-payment'), status: 'paid', cancelMinor: 0 },
      cancellations: [],
    });
  });

  test('a payment that nobody made is absent, and cannot be cancelled', async () => {
    expect(await candidate().gateway.payment('imps_000000000999')).toEqual({ kind: 'absent' });
    expect(await cancel('imps_000000000999', 100, 100)).toMatchObject({ kind: 'refused' });
  });

  test('a whole cancel is done once: repeated, its checksum has it refused', async () => {
    const impUid = await paid('whole');
    const whole = { impUid, status: 'cancelled', amount: won(9_900), cancelMinor: 9_900 };
    expect(await cancel(impUid, 9_900, 9_900)).toMatchObject({ kind: 'done', record: whole });
    expect(await cancel(impUid, 9_900, 9_900)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/./) });
    expect(await candidate().gateway.payment(impUid)).toMatchObject({ kind: 'found', record: whole });
  });

  test('a partial cancel leaves the rest, and its checksum holds for one repetition only', async () => {
    const impUid = await paid('part');
    expect(await cancel(impUid, 3_000, 9_900)).toMatchObject({ kind: 'done', cancellations: [{ minor: 3_000 }] });
    expect(await cancel(impUid, 3_000, 9_900)).toMatchObject({ kind: 'refused' });
    expect(await cancel(impUid, 3_000, 6_900)).toMatchObject({ kind: 'done', record: { cancelMinor: 6_000 } });
    const found = await candidate().gateway.payment(impUid);
    const ids = found.kind === 'found' ? found.cancellations.map(({ cancellationId }) => cancellationId) : [];
    expect(new Set(ids).size).toBe(2);
  });

  test('a declined payment cannot be cancelled', async () => {
    const answer = await charge('declined-cancel', candidate().declining);
    if (answer.kind !== 'declined') throw new Error('not declined');
    expect(await cancel(answer.record.impUid, 9_900, 9_900)).toMatchObject({ kind: 'refused' });
  });

  test('without a token nothing is cancelled', async () => {
    const impUid = await paid('stranger-cancel');
    const request = { impUid, amount: won(9_900), checksum: won(9_900), reason: 'a test' };
    expect(await candidate().stranger.cancel(request, LIMIT_MS, ALWAYS)).toMatchObject({ kind: 'not-sent' });
    expect(await candidate().gateway.payment(impUid)).toMatchObject({ record: { cancelMinor: 0 } });
  });
}

function keyRules(candidate: () => Candidate): void {
  test('a stored key is shown with a masked card number', async () => {
    const key = await candidate().gateway.billingKey(candidate().approving);
    if (key.kind !== 'found') throw new Error(`not found: ${JSON.stringify(key)}`);
    expect(key.cardNumberMasked).toMatch(/^\d{4,8}\*{4,}\d{0,4}$/);
  });

  test('a key that is not stored is absent', async () => {
    expect(await candidate().gateway.billingKey(candidate().unknown)).toEqual({ kind: 'absent' });
  });
}

function listRules(candidate: () => Candidate, charge: Charge): void {
  test('the list for audits shows what was captured in its window, with the subscription it is for', async () => {
    const [paid, declined] = [await charge('listed', candidate().approving), await charge('no', candidate().declining)];
    if (paid.kind !== 'paid' || declined.kind !== 'declined') throw new Error('not as asked');
    const paidAt = DateTime.fromMillis(paid.record.paidAtMs ?? 0);
    const listed = await listedIn({ from: paidAt.minus({ days: 200 }), until: paidAt.plus({ minutes: 1 }) });
    expect(listed.find(({ impUid }) => impUid === paid.record.impUid)).toMatchObject({
      ...paid.record,
      raw: expect.anything(),
      subscription: 'sub-1',
    });
    expect(listed.map(({ impUid }) => impUid)).not.toContain(declined.record.impUid);
    const before = await listedIn({ from: paidAt.minus({ days: 2 }), until: paidAt.minus({ days: 1 }) });
    expect(before).toEqual([]);
  });

  async function listedIn(window: Window): Promise<ListedPayment[]> {
    const listed: ListedPayment[] = [];
    const listing = await candidate().gateway.payments(window, async (page) => void listed.push(...page));
    expect(listing).toEqual({ kind: 'whole', count: listed.length });
    return listed;
  }
}
