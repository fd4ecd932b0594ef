import { endingOf } from '../billing/ending.ts';
import { assertNever } from '../billing/errors.ts';
import { AWAITING_CARD } from '../billing/invoice.ts';
import type { CaseFile } from '../store/case-file.ts';
import { fenceOf, type Identity } from '../store/fence.ts';
import { isoInstant, isoInstantOrNull } from './instant.ts';
import { endInWords } from './policy-in-words.ts';

/** What happens next to an invoice, in a sentence, and when; `at` is null where nothing happens by itself. */
export type Next = { readonly at: string | null; readonly says: string };

/** Reads it off the rows: the same that scheduler and worker go by. */
export function whatIsNext(file: CaseFile, identity: Identity): Next {
  const { invoice } = file;
  const next = collected(file);
  if (next === null) return ended(file);
  return { at: isoInstantOrNull(invoice.next_at), says: `${next}${stopped(file)}${fenced(file, identity)}` };
}

/** Whether all charges are stopped, since when, and what ends that. */
function stopped({ control }: CaseFile): string {
  if (control.sending_enabled) return '';
  const { sending_reason: reason, sending_changed_by: by } = control;
  const who = by === null ? '' : `, by ${by}`;
  return ` Sending is switched off (${reason ?? 'no reason given'}${who}): \`maedal send on --reason …\` lets charges go again.`;
}

/** What else keeps this installation from sending. */
function fenced({ control }: CaseFile, identity: Identity): string {
  const fence = fenceOf(control, identity);
  switch (fence.kind) {
    case 'open':
      return '';
    case 'not-adopted':
      return ` Nothing is sent before \`maedal adopt\`: ${fence.reason}.`;
    case 'foreign':
      return ` Nothing is sent from here: ${fence.reason}.`;
    default:
      return assertNever(fence);
  }
}

type Refund = CaseFile['invoice']['refunds'][number];

/** What happens next to a refund; null where it is done, or was begun anew. */
export function whatIsNextOfRefund(file: CaseFile, refund: Refund): Next | null {
  const { invoice, now } = file;
  const order = `\`maedal refund ${invoice.id} --reason …\``;
  const later = invoice.refunds.slice(invoice.refunds.indexOf(refund) + 1);
  if (refund.state === 'done' || later.some(({ imp_uid }) => imp_uid === refund.imp_uid)) return null;
  const isGone = file.observations.some(({ imp_uid, gone_at: at }) => imp_uid === refund.imp_uid && at !== null);
  if (refund.state === 'failed' && isGone) return { at: null, says: 'The payment is not at the gateway any more.' };
  if (refund.state === 'failed') return { at: null, says: `A person must decide; ${order} begins anew.` };
  if (refund.next_at === null) return { at: null, says: `It waits for a person: ${order} gives it back.` };
  const at = isoInstant(refund.next_at);
  const when = refund.next_at > now ? `at ${at}` : `as soon as a worker comes (due since ${at})`;
  const stop = stopped(file);
  if (refund.state === 'prepared') return { at, says: `It is cancelled at the gateway ${when}.${stop}` };
  return { at, says: `The payment is looked up ${when}; before that nothing is cancelled again.${stop}` };
}

/** What is not collected any more may still be given back, or be watched for what lands late. */
function ended(file: CaseFile): Next {
  const { invoice } = file;
  const refunds = invoice.refunds.flatMap((refund) => {
    const next = whatIsNextOfRefund(file, refund);
    return next === null ? [] : [{ at: next.at, says: `Refund of ${refund.imp_uid}: ${next.says}` }];
  });
  const watch =
    invoice.watch_at === null ? [] : [{ at: isoInstant(invoice.watch_at), says: watched(invoice.watch_at) }];
  const others = [...refunds, ...watch];
  const rest = others.length === 0 ? restOf(file) : restOf(file).replace(/^Nothing: it/, 'It');
  const instants = others.flatMap(({ at }) => at ?? []).sort();
  return { at: instants[0] ?? null, says: [rest, ...others.map(({ says }) => says)].join(' ') };
}

function watched(at: Date): string {
  return `Something of it might still be captured: it is looked up once more at ${isoInstant(at)}.`;
}

/** What collecting goes on with, or null when it does not go on. */
function collected(file: CaseFile): string | null {
  const { invoice, now } = file;
  if (invoice.next_at === null) return null;
  const at = isoInstant(invoice.next_at);
  const when = invoice.next_at > now ? `at ${at}` : `as soon as a scheduler ticks (due since ${at})`;
  const alive = invoice.attempts.find((attempt) => ALIVE.has(attempt.state));
  switch (alive?.state) {
    case 'prepared':
      return `Attempt ${alive.number} is charged${alive.send_count > 0 ? ' again, under the same id,' : ''} ${when}.${unsettled(alive)}`;
    case 'sent':
      return `Attempt ${alive.number} is about to be sent, or was. Without an answer it counts as unknown and is looked up ${when}.`;
    case 'unknown':
      return `The gateway is asked about attempt ${alive.number} ${when}. Until its fate is proved, nothing else is charged.${notFound(alive)}`;
    default:
      if (invoice.reason === AWAITING_CARD) return awaited(file, at);
      return `Attempt ${(invoice.attempts.at(-1)?.number ?? 0) + 1} is made and charged ${when}.`;
  }
}

/** No attempt is made then, but where another card has come. */
function awaited({ invoice, policy, now }: CaseFile, until: string): string {
  const end = endInWords(endingOf({ kind: 'give-up', reason: 'no_card_left' }, policy));
  const isOver = invoice.next_at !== null && invoice.next_at <= now;
  const waits = isOver
    ? `Another card was waited for until ${until}. As soon as a scheduler ticks, one that has come is charged.`
    : `Another card is waited for until ${until}, and charged when it comes.`;
  return `${waits} If none has come by then, ${end}.`;
}

/** Why that instant may only be the next look. */
function unsettled({ unsettled_since: since }: CaseFile['invoice']['attempts'][number]): string {
  if (since === null) return '';
  const again = `Since ${isoInstant(since)} the gateway says neither that an id of it is paid nor that it may be sent`;
  return ` ${again}: it is looked up again then, and where that lasts a day a person must decide.`;
}

/** What a charge that nobody finds still waits for. */
function notFound({ not_found_count: times }: CaseFile['invoice']['attempts'][number]): string {
  if (times === 0) return '';
  const so = times === 1 ? 'Once so far' : `${times} times so far`;
  return (
    ` ${so} the gateway did not know it. It goes again, under the same id, after three such answers, of which the last` +
    ' comes after the horizon of its channel and beside a payment that the gateway does find.'
  );
}

/** What was taken for it and is not given back, for whoever decides. */
function kept({ observations }: CaseFile): string {
  const taken = observations.filter(
    ({ status, amount, cancel_amount: back, gone_at: goneAt }) =>
      goneAt === null && (status === 'paid' || status === 'cancelled') && (amount ?? 1n) > back,
  );
  const gone = observations.filter(({ gone_at: at }) => at !== null);
  if (taken.length === 0) return gone.map(goneInWords).join('');
  const names = taken.map(({ imp_uid }) => imp_uid).join(', ');
  return ` ${names} was captured for it: \`maedal refund\` gives that back, \`maedal mark-paid\` counts it.`;
}

/** What release means, where a payment went. */
function goneInWords({ imp_uid: impUid }: CaseFile['observations'][number]): string {
  return ` ${impUid} was paid, and is not at the gateway any more: released, it is charged again under the next id.`;
}

function restOf(file: CaseFile): string {
  const { invoice } = file;
  const because = invoice.reason === null ? '' : ` (${invoice.reason})`;
  const wayOut = '`maedal release` lets it go on, `maedal void` ends it.';
  switch (invoice.state) {
    case 'paid':
      return 'Nothing: it is paid.';
    case 'held':
      return `Nothing by itself: it waits for a person${because}. Until then nothing is charged. ${wayOut}`;
    case 'review':
      return `Nothing by itself: a person must decide${because}. Until then nothing is charged. ${wayOut}${kept(file)}`;
    case 'uncollectible':
      return `Nothing: it ended ${invoice.state}${because}. \`maedal retry\` has it charged once more.`;
    default:
      return `Nothing: it ended ${invoice.state}${because}.`;
  }
}

const ALIVE: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown', 'paid', 'review']);
