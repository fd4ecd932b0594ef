import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { chargeRequest, uidOf } from './charges.ts';

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
      candidate.gateway.charge(chargeRequest({ merchantUid: uidOf(uid), customerUid }), LIMIT_MS);

    readinessRules(() => candidate);
    chargeRules(() => candidate, charge);
    repetitionRules(() => candidate, charge);
    keyRules(() => candidate);
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
    expect(await candidate().stranger.charge(request, LIMIT_MS)).toMatchObject({ kind: 'not-sent' });
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
