import { DateTime } from 'luxon';
import { parseInvoiceId } from '../../../../src/billing/ids.ts';
import type { Chance } from '../chance.ts';
import { POLICY_VERSION, type Side } from './side.ts';
import { type Hands, type Known, latest, type Step } from './step.ts';

/** What people do, and what no flow would ask of the store, but an index or a guard must refuse. */
export function oddStep(chance: Chance, { uids, subscriptions }: Known): Step {
  const [draw, uid] = [chance.next(), uids.length > 0 ? chance.pick(uids) : 'none'];
  const subscription = chance.pick(subscriptions);
  const status = chance.pick(['active', 'active', 'paused', 'canceled', 'unpaid', 'past_due'] as const);
  const amount = chance.pick([9_900, 12_000]);
  const number = 1 + chance.below(3);
  const key = { kind: 'found', sandbox: true, pgProvider: 'nice_v2', cardName: null, cardNumberMasked: null } as const;
  const steps: readonly Step[] = [
    { name: 'expire', take: ({ side }) => side.store.expireSends(500) },
    {
      name: 'canaries',
      take: async ({ side }) => (await side.store.canaries(uid)).map(({ merchantUid }) => merchantUid),
    },
    { name: 'recent', take: ({ side }) => side.store.recentSends(50) },
    { name: `switch ${draw > 0.3}`, take: ({ side }) => side.control({ sending_enabled: draw > 0.3 }) },
    { name: 'adopt', take: ({ side }) => side.control({ adopted_at: 1 }) },
    { name: 'audit', take: ({ side, nowMs }) => side.audited(draw < 0.6 ? nowMs : null, draw < 0.3 ? nowMs : null) },
    { name: `${status} now`, take: ({ side, nowMs }) => side.change(subscription, { status }, nowMs) },
    {
      name: 'cancel at period end',
      take: ({ side, nowMs }) =>
        side.change(subscription, { cancel_at: draw < 0.5 ? nowMs + (draw - 0.25) * 86_400_000 : null }, nowMs),
    },
    { name: 'new price', take: ({ side, nowMs }) => side.change(subscription, { amount }, nowMs) },
    { name: 'prepare twice', take: (hands) => prepareOddly(hands, uid, number) },
    { name: 'draw up again', take: (hands) => drawUpAgain(hands, draw) },
    { name: 'end', take: async ({ side }) => side.store.endSubscriptions(await idsOf(side, subscriptions)) },
    { name: 'vanish', take: ({ side }) => side.vanish(uid) },
    { name: 'watch', take: (hands) => watch(hands, draw) },
    { name: 'clear arrears', take: ({ side }) => side.store.clearArrears() },
    { name: 'end stopped', take: ({ side }) => side.store.endStopped() },
    { name: 'pass over', take: async ({ side }) => side.store.passOver(await idsOf(side, [subscription])) },
    {
      name: 'remember the key',
      take: ({ side, leased }) => {
        const attempt = latest(leased, draw);
        return attempt === undefined ? Promise.resolve() : side.store.rememberBillingKey(attempt.billingKey, key);
      },
    },
  ];
  return chance.pick(steps);
}

async function watch({ side, watched, nowMs }: Hands, draw: number): Promise<unknown> {
  const again = draw < 0.5 ? null : DateTime.fromMillis(nowMs + 86_400_000, { zone: 'utc' });
  const before = latest(watched, draw);
  if (before !== undefined) await side.store.watchOn(before, again);
  const claimed = await side.store.claimWatched(500);
  watched.push(...[...claimed].sort((one, other) => byText(one.sent[0]?.merchantUid, other.sent[0]?.merchantUid)));
  return claimed;
}

function byText(one = '', other = ''): number {
  return one < other ? -1 : 1;
}

async function prepareOddly({ side, names }: Hands, merchantUid: string, attemptNumber: number): Promise<number> {
  const invoices = [...names]
    .filter(([, name]) => name.includes(' '))
    .sort(([, one], [, other]) => (one < other ? -1 : 1));
  const [id, name = ''] = invoices[attemptNumber % Math.max(1, invoices.length)] ?? [];
  if (id === undefined) return 0;
  const [subscription = '', periodKey = ''] = name.split(' ');
  return side.store.prepareRetries([
    { invoiceId: parseInvoiceId(id), subscription, periodKey, attemptNumber, merchantUid },
  ]);
}

async function drawUpAgain({ side, drawn }: Hands, draw: number): Promise<number> {
  const input = drawn[Math.floor(draw * drawn.length)];
  if (input === undefined) return 0;
  // Half of them pretend that the subscription stands where it stood, so that the unique index is what refuses.
  const ahead =
    draw * 1_000 - Math.floor(draw * 1_000) < 0.5
      ? { period_index: input.next_period, was_due_at: input.next_due_at }
      : {};
  return side.store.drawUp([{ ...input, ...ahead }], { default: POLICY_VERSION });
}

async function idsOf(side: Side, externalIds: readonly string[]): Promise<string[]> {
  return [...(await side.names())].flatMap(([id, name]) => (externalIds.includes(name) ? [id] : []));
}
