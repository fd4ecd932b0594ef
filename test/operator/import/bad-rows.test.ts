import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { csv, type ImportWorld, newImportWorld, SOUND, soundRow } from './world.ts';

let world: ImportWorld;
beforeAll(async () => {
  world = await newImportWorld();
});
beforeEach(() => world.db.$executeRaw`TRUNCATE customer, billing_key, subscription CASCADE`);
afterAll(() => world.end());

test.each<[Record<string, string>, string]>([
  [{ subscription_id: '' }, 'subscription_id is missing'],
  [{ subscription_id: 'x'.repeat(201) }, 'subscription_id: 201 characters; write at most 200'],
  [{ customer_id: '' }, 'customer_id is missing'],
  [{ customer_uid: '' }, 'customer_uid is missing'],
  [{ customer_uid: 'k'.repeat(81) }, 'customer_uid: 81 characters; write at most 80'],
  [{ customer_uid: 'a\tb' }, 'customer_uid: a line break or control character; write one line of text'],
  [{ name: '' }, 'name is missing'],
  [{ name: '가'.repeat(41) }, 'name: 41 characters; write at most 40'],
  [{ amount: '' }, 'amount is missing'],
  [{ amount: '-100' }, "amount: '-100' is not an amount; write digits only, such as 9900"],
  [{ amount: '9,900' }, "amount: '9,900' is not an amount; write digits only, such as 9900"],
  [{ amount: '9900.5' }, "amount: '9900.5' has too many decimals; KRW has no decimals"],
  [{ amount: '9.999', currency: 'USD' }, "amount: '9.999' has too many decimals; USD has at most 2 decimals"],
  [{ amount: '0' }, "amount: '0' is nothing to charge; a price is above zero"],
  [{ currency: 'krw' }, "currency: 'krw' is not a currency; use an ISO 4217 code in upper case, such as KRW or USD"],
  [{ interval: 'months' }, "interval: 'months' is not an interval; use one of day, week, month, year"],
  [{ interval: '' }, 'interval is missing'],
  [{ interval_count: '' }, 'interval_count is missing'],
  [{ interval_count: '0' }, "interval_count: '0' is not a whole number from 1 to 1000; correct it"],
  [{ interval_count: '1.5' }, "interval_count: '1.5' is not a whole number from 1 to 1000; correct it"],
  [{ anchor_at: '' }, 'anchor_at is missing'],
  [{ anchor_at: '2027-02-30' }, "anchor_at: '2027-02-30' does not exist in the calendar; check the day and the time"],
  [
    { anchor_at: '31/01/2027' },
    "anchor_at: '31/01/2027' is not a date or date-time; write 2027-01-31 or 2027-01-31T10:00",
  ],
  [
    { anchor_at: '2027-01-31T10:00:00Z' },
    "anchor_at: '2027-01-31T10:00:00Z' carries an offset, but an anchor is local to its time zone; write it without; the same instant in Asia/Seoul is 2027-01-31T19:00:00",
  ],
  [
    { timezone: 'Asia/Soul' },
    "timezone: 'Asia/Soul' is not a time zone; use a name of the IANA time zone database, such as Asia/Seoul",
  ],
  [{ plan: 'yearly' }, "plan: 'yearly' is not a plan; use one of monthly"],
  [{ plan: 'constructor' }, "plan: 'constructor' is not a plan; use one of monthly"],
  [
    { plan: 'monthly', amount: '', currency: 'USD' },
    "currency: the plan's price is in KRW; write the amount in USD too",
  ],
  [{ trial_until: 'soon' }, "trial_until: 'soon' is not a date or date-time; write 2027-01-31 or 2027-01-31T10:00"],
  [{ ends_after: '-1' }, "ends_after: '-1' is not a whole number from 1 to 100000; correct it"],
  [
    { billed_through: '2027-03-31' },
    'billed_through: 2027-03-31T10:00 is no boundary of a period; the nearest are 2027-03-01T10:00 and 2027-04-01T10:00',
  ],
  [
    { billed_through: '2027-04-01T09:59' },
    'billed_through: 2027-04-01T09:59 is no boundary of a period; the nearest are 2027-03-01T10:00 and 2027-04-01T10:00',
  ],
  [
    { billed_through: '2027-02-01' },
    'billed_through: 2027-02-01T10:00 is no boundary of a period; the first period starts at 2027-03-01T10:00',
  ],
  [{ buyer_name: '남'.repeat(17) }, 'buyer_name: 17 characters; write at most 16'],
  [{ buyer_email: `${'a'.repeat(60)}@b.co` }, 'buyer_email: 65 characters; write at most 64'],
  [{ buyer_email: 'nobody' }, "buyer_email: 'nobody' is not an e-mail address; correct it or leave it blank"],
  [{ buyer_tel: '0'.repeat(17) }, 'buyer_tel: 17 characters; write at most 16'],
  [{ backup_customer_uids: `b;${'k'.repeat(81)}` }, 'backup_customer_uids: 81 characters; write at most 80'],
  [{ backup_customer_uids: 'b;card-1' }, "backup_customer_uids: 'card-1' is there twice"],
  [{ channel: 'toss' }, "channel: 'toss' is not a channel of the configuration; use one of default, nice"],
  [{ test_card: 'aprove' }, "test_card: 'aprove' is not a test card; see `/_sandbox/cards` for their names"],
])('a row with %j is refused', async (changes, reason) => {
  expect(await world.refusal(csv(soundRow(7), { ...SOUND, ...changes }))).toEqual([`3: ${reason}`]);
});

test('a test card is refused where the gateway is no sandbox', async () => {
  expect(await world.refusal(csv({ ...SOUND, test_card: 'approve' }), { sandbox: null })).toEqual([
    '2: test_card: test cards exist in the sandbox only; leave it blank',
  ]);
});

test('all problems of all rows are told at once, in the order of the file', async () => {
  const text = csv({ ...SOUND, amount: '-1', name: '' }, soundRow(2), { ...soundRow(3), interval: 'x' }, soundRow(2));
  expect(await world.refusal(text)).toEqual([
    '2: name is missing',
    "2: amount: '-1' is not an amount; write digits only, such as 9900",
    "4: interval: 'x' is not an interval; use one of day, week, month, year",
    "5: subscription_id 'sub-2' is on line 3 already",
  ]);
});

test('a message names the first 50 problems and counts the others', async () => {
  const rows = Array.from({ length: 130 }, (_, index) => soundRow(index, { amount: '0' }));
  await expect(world.import(csv(...rows))).rejects.toMatchObject({ total: 130, problems: { length: 50 } });
  await expect(world.import(csv(...rows))).rejects.toThrow(
    /^rows-\d+: 130 problems, nothing was imported\nline 2: amount: '0' is nothing .*\nand 80 more; correct the file/s,
  );
});

describe('rows that contradict each other', () => {
  test.each<[string, Record<string, string>[], string[]]>([
    [
      'the same subscription twice',
      [soundRow(1), soundRow(2), { ...soundRow(3), subscription_id: 'sub-1' }],
      ["4: subscription_id 'sub-1' is on line 2 already"],
    ],
    [
      'one key for two customers',
      [soundRow(1), { ...soundRow(2), customer_uid: 'card-1' }],
      ["3: customer_uid 'card-1' has customer_id 'cust-2' here, but 'cust-1' on line 2"],
    ],
    [
      'one customer’s key as another’s backup',
      [soundRow(1), { ...soundRow(2), backup_customer_uids: 'card-1' }],
      ["3: customer_uid 'card-1' has customer_id 'cust-2' here, but 'cust-1' on line 2"],
    ],
    [
      'one key on two channels',
      [soundRow(1), { ...soundRow(2), customer_id: 'cust-1', customer_uid: 'card-1', channel: 'nice' }],
      ["3: customer_uid 'card-1' has channel 'nice' here, but 'default' on line 2"],
    ],
    [
      'one key with two test cards',
      [
        { ...soundRow(1), test_card: 'approve' },
        { ...soundRow(2), customer_id: 'cust-1', customer_uid: 'card-1', test_card: 'decline_funds' },
      ],
      ["3: customer_uid 'card-1' has test_card 'decline_funds' here, but 'approve' on line 2"],
    ],
    [
      'two addresses of one customer',
      [
        { ...soundRow(1), buyer_email: 'a@example.com' },
        { ...soundRow(2), customer_id: 'cust-1', buyer_email: '' },
        { ...soundRow(3), customer_id: 'cust-1', buyer_email: 'b@example.com' },
      ],
      ["4: customer_id 'cust-1' has buyer_email 'b@example.com' here, but 'a@example.com' on line 2"],
    ],
  ])('%s', async (_, rows, problems) => {
    expect(await world.refusal(csv(...rows))).toEqual(problems);
  });
});

describe('rows that contradict the database', () => {
  beforeEach(() => world.import(csv({ ...SOUND, buyer_tel: '010-0000-0001', backup_customer_uids: 'old-card' })));

  test.each<[string, Record<string, string>, string]>([
    [
      'another customer’s key',
      { customer_uid: 'card-1' },
      "2: customer_uid 'card-1' has customer_id 'cust-2' here, but 'cust-1' in the database",
    ],
    [
      'a key on another channel',
      { customer_id: 'cust-1', customer_uid: 'card-1', channel: 'nice' },
      "2: customer_uid 'card-1' has channel 'nice' here, but 'default' in the database",
    ],
    [
      'another telephone number',
      { customer_id: 'cust-1', buyer_tel: '010-0000-0002' },
      "2: customer_id 'cust-1' has buyer_tel '010-0000-0002' here, but '010-0000-0001' in the database",
    ],
    [
      'a key that was removed',
      { customer_id: 'cust-1', customer_uid: 'old-card' },
      "2: customer_uid 'old-card' was removed; use a new one",
    ],
  ])('%s', async (_, changes, problem) => {
    await world.db.billing_key.updateMany({ where: { customer_uid: 'old-card' }, data: { state: 'removed' } });
    expect(await world.refusal(csv({ ...soundRow(2), ...changes }))).toEqual([problem]);
  });
});

describe('a header', () => {
  test.each([
    ['Amount', 'amount', "1: 'Amount' is not a column; did you mean amount?", '1: missing column amount'],
    [
      'custumer_uid',
      'customer_uid',
      "1: 'custumer_uid' is not a column; did you mean customer_uid?",
      '1: missing column customer_uid',
    ],
  ])('with %s is refused', async (wrong, right, ...problems) => {
    expect(await world.refusal(csv(SOUND).replace(right, wrong))).toEqual(problems);
  });

  test('that lacks columns names them; a plan makes those it fills optional', async () => {
    const { name: _, amount: __, currency: ___, ...rest } = SOUND;
    expect(await world.refusal(csv(rest))).toEqual(['1: missing columns name, amount, currency']);
    expect(await world.refusal(csv({ ...rest, plan: 'monthly' }))).toEqual([]);
  });

  test('that names a column twice is refused', async () => {
    expect(await world.refusal(csv(SOUND).replace('currency', 'amount'))).toEqual([
      '1: column amount is there twice',
      '1: missing column currency',
    ]);
  });
});
