import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Db, openDb } from '../../../src/store/db.ts';
import { cards, Installation } from '../../support/installation.ts';

let shop: Installation;
let db: Db;

beforeAll(async () => {
  shop = await Installation.withSandbox('export default {};');
  db = openDb({ url: shop.settings.DATABASE_URL ?? '', who: 'maedal/test' });
  const declined = { 'sub-2': 'decline_funds', 'sub-4': 'decline_funds' };
  await shop.subscribe({ ...cards('sub', 5), ...declined });
  expect(await shop.maedal('bill').ended).toBe(0);
});

afterAll(async () => {
  await db.$disconnect();
  await shop.close();
});

async function invoiceId(subscription: string): Promise<string> {
  return (await db.invoice.findFirstOrThrow({ where: { subscription: { external_id: subscription } } })).id;
}

async function ledger(): Promise<{ status: string; amount: number }[]> {
  const response = await fetch(`${shop.sandboxUrl}/_sandbox/ledger?limit=1000`);
  return JSON.parse(await response.text()).data;
}

test('a part, then the rest: the sandbox gives back what was said, the invoice ends, and explain tells of both', async () => {
  const id = await invoiceId('sub-0');
  const part = shop.maedal('refund', id, '--amount', '3000', '--reason', 'late delivery');
  await part.line(/^refunded 3000 KRW of imps_\d{12}$/);
  expect(await part.ended).toBe(0);
  const rest = shop.maedal('refund', id, '--reason', 'moved away', '--json');
  const { refunds } = JSON.parse(await rest.line(/^\{"refunds"/));
  expect(refunds).toMatchObject([{ amount: 6_900, currency: 'KRW', state: 'done', fail_reason: null }]);
  expect(await rest.ended).toBe(0);
  const cancels = (await ledger()).filter((entry) => entry.status === 'cancelled');
  expect(cancels.map((entry) => entry.amount)).toEqual([3_000, 6_900]);
  const explain = shop.maedal('explain', id);
  await explain.line(/The invoice was given back whole: moved away \[maedal\/refund\]/);
  await explain.line(/^ {2}6900 KRW of imps_\d{12}: done$/);
  expect(await explain.ended).toBe(0);
});

test('declines are counted by their words, with what each was taken for', async () => {
  const counted = shop.maedal('declines', '--json');
  const { total, declines } = JSON.parse(await counted.line(/^\{/));
  expect(total).toBe(2);
  expect(declines).toMatchObject([
    { class: 'funds', channel: 'default', count: 2, text: expect.stringMatching(/한도/) },
  ]);
  await db.$executeRaw`UPDATE attempt SET decline_class = 'other', fail_reason = '[Z999]\u001b[2J모름' WHERE state = 'declined'`;
  const told = shop.maedal('declines');
  await told.line(/^ {5}2 {2}other {3}\S+Z {2}default {2}\[Z999\]\\u\{1b\}\[2J모름$/);
  await told.line(/^say under `declines` in your configuration what the words of an `other` mean$/);
  await db.$executeRaw`UPDATE attempt SET decline_class = 'funds' WHERE state = 'declined'`;
});

test('a retry by hand is charged by the next worker, on the card that is there by then; explain says who wanted it', async () => {
  const id = await invoiceId('sub-2');
  await post('/_sandbox/cards/card-sub-2', { card: 'approve' }, {});
  // Every send was answered, and the declines of this channel are final: no day has to pass.
  const retry = shop.maedal('retry', id, '--reason', 'the customer called');
  await retry.line(/^[0-9a-f-]{36} is retrying: it is looked up and charged as soon as a worker comes$/);
  expect(await retry.ended).toBe(0);
  expect(await shop.maedal('bill').ended).toBe(0);
  expect((await db.invoice.findUniqueOrThrow({ where: { id } })).state).toBe('paid');
  const explain = shop.maedal('explain', id);
  await explain.line(/A person had it tried again: the customer called \[.+@.+\]$/);
  expect(await explain.ended).toBe(0);
});

test('a void ends what is owed: in JSON, with who and why in the audit; said again, it is bad input', async () => {
  const id = await invoiceId('sub-4');
  const ended = shop.maedal('void', id, '--reason', 'as a courtesy', '--json');
  expect(JSON.parse(await ended.line(/^\{/))).toEqual({ invoice: id, status: 'void' });
  expect(await ended.ended).toBe(0);
  expect(await db.audit.findFirstOrThrow({ where: { subject: id } })).toMatchObject({
    action: 'invoice.voided',
    reason: 'as a courtesy',
  });
  const again = shop.maedal('void', id, '--reason', 'as a courtesy');
  await again.line(/the invoice is void; see `maedal explain`/);
  expect(await again.ended).toBe(2);
  const mute = shop.maedal('release', id, '--reason', ' ');
  await mute.line(/--reason has 0 characters; say in 1 to 500 characters why/);
  expect(await mute.ended).toBe(2);
});

test('an invoice is called paid by a payment that PortOne shows, and by nothing else', async () => {
  const id = await invoiceId('sub-2');
  const marked = shop.maedal('mark-paid', id, '--imp-uid', 'imps_nobody', '--reason', 'paid at the counter');
  await marked.line(/PortOne knows no payment 'imps_nobody'; copy its imp_uid from PortOne’s console/);
  expect(await marked.ended).toBe(2);
});

test('whatever cannot be refunded is bad input, and says what to do', async () => {
  const unpaid = shop.maedal('refund', await invoiceId('sub-4'), '--reason', 'why not');
  await unpaid.line(/the invoice is void; only what it was paid with can be refunded/);
  expect(await unpaid.ended).toBe(2);
  const mute = shop.maedal('refund', await invoiceId('sub-1'));
  await mute.line(/--reason <text>/);
  expect(await mute.ended).toBe(2);
});

test('while sending is switched off nothing is given back: exit 3', async () => {
  await db.$executeRaw`UPDATE control SET sending_enabled = false, sending_reason = 'the books differ'`;
  const fenced = shop.maedal('refund', await invoiceId('sub-1'), '--reason', 'moved away');
  await fenced.line(/sending is switched off \(the books differ\)/);
  expect(await fenced.ended).toBe(3);
  await db.$executeRaw`UPDATE control SET sending_enabled = true`;
});

test.each(['refund.intended', 'refund.answered'])(
  'killed at %s, it goes on from what the gateway says',
  async (point) => {
    const id = await invoiceId('sub-3');
    const amount = { 'refund.intended': 1_000, 'refund.answered': 2_000 }[point] ?? 0;
    const args = ['refund', id, '--amount', String(amount), '--reason', point];
    const killed = shop.maedalWith({ MAEDAL_FAILPOINTS: `${point}=kill` }, ...args);
    expect(await killed.ended).toBe('SIGKILL');
    const { state, send_count } = await db.refund.findFirstOrThrow({ where: { reason: point } });
    expect({ state, send_count }).toEqual({ state: 'sent', send_count: 1 });
    // Its lease ends, and the time in which a cancel may still land is over.
    await db.$executeRaw`UPDATE refund SET next_at = now(), sent_at = now() - interval '1 day' WHERE reason = ${point}`;
    expect(await shop.maedal('bill').ended).toBe(0);
    expect((await db.refund.findFirstOrThrow({ where: { reason: point } })).state).toBe('done');
    const cancels = (await ledger()).filter((entry) => entry.status === 'cancelled' && entry.amount === amount);
    expect(cancels).toHaveLength(1);
  },
);

test('a refund that comes to nothing is not done: exit 1, with the reason', async () => {
  const id = await invoiceId('sub-1');
  // Somebody gave a part of it back in the gateway's own console.
  const tokenBody = { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' };
  const token = await post('/users/getToken', tokenBody, {});
  const { imp_uid } = await db.attempt.findFirstOrThrow({ where: { invoice_id: id } });
  await post('/payments/cancel', { imp_uid, amount: 100 }, { authorization: token.response.access_token });
  const refused = shop.maedal('refund', id, '--reason', 'moved away');
  await refused.line(/is not refunded, but failed: somebody else cancelled: 100 of it/);
  await refused.line(/1 of 1 refunds are not done/);
  expect(await refused.ended).toBe(1);
});

async function post(path: string, body: unknown, headers: Record<string, string>) {
  const response = await fetch(`${shop.sandboxUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return JSON.parse(await response.text());
}
