import type { CaseFile } from '../store/case-file.ts';
import { NEVER_REPORTED } from '../store/due.ts';

/** One thing that happened, as a person would say it; `why` is what the program or the gateway said. */
export type Told = { readonly at: Date; readonly says: string; readonly why: string | null; readonly who: string };

type Step = CaseFile['history'][number];

/** Everything that happened to an invoice and around it, oldest first. */
export function storyOf(file: CaseFile): Told[] {
  const told = [
    ...file.history.map((step, index) => stepOf(file, step, index)),
    ...file.observations.flatMap(accountOf),
    ...file.deeds.map(deedOf),
  ];
  return told.sort((one, other) => one.at.getTime() - other.at.getTime()); // stable: of one instant, as written
}

function stepOf(file: CaseFile, step: Step, index: number): Told {
  const later = file.history.slice(index + 1).find((other) => other.entity_id === step.entity_id);
  const says = `${saysOf(file, step, later)}${again(file.history.slice(0, index), step)}`;
  return { at: step.at, says, why: step.reason, who: step.who };
}

/** What a send adds to the same said before. */
function again(earlier: readonly Step[], step: Step): string {
  const isAgain = isSend(step) && earlier.some((other) => isSend(other) && other.entity_id === step.entity_id);
  if (!isAgain) return '';
  return step.entity === 'attempt' ? ' once more, under the same id' : ' once more';
}

function saysOf({ invoice }: CaseFile, step: Step, later: Step | undefined): string {
  switch (step.entity) {
    case 'invoice':
      return (
        INVOICE[`${step.from_state ?? ''}>${step.to_state}`] ??
        INVOICE[step.to_state] ??
        `The invoice became ${step.to_state}`
      );
    case 'attempt': {
      const attempt = invoice.attempts.find(({ id }) => id === step.entity_id);
      return `Attempt ${attempt?.number ?? '?'} ${ofAttempt(step, later)}`;
    }
    default: {
      const refund = invoice.refunds.find(({ id }) => id === step.entity_id);
      return `The refund of ${refund?.imp_uid ?? '?'} ${ofRefund(step)}`;
    }
  }
}

function isSend({ from_state: from, to_state: to }: Step): boolean {
  return from !== to && to === 'sent';
}

function ofAttempt(step: Step, later: Step | undefined): string {
  const { from_state: from, to_state: to } = step;
  if (isSend(step)) return sendOf(later);
  if (to === 'paid') return PAID[from ?? ''] ?? 'was paid after all';
  return ATTEMPT[`${from ?? ''}>${to}`] ?? ATTEMPT[to] ?? `became ${to}`;
}

/** The step is written before the call is made: only what came after it tells whether it was. */
function sendOf(later: Step | undefined): string {
  if (later === undefined) return 'is about to be sent to the gateway, or was';
  if (later.to_state === 'prepared') return 'was about to be charged at the gateway';
  return later.reason === NEVER_REPORTED ? 'was about to be sent to the gateway, or was' : 'was sent to the gateway';
}

/** What became of money that the gateway took; what an attempt was paid by, that attempt tells. */
function accountOf(seen: CaseFile['observations'][number]): Told[] {
  const { imp_uid, accounted_as: as, accounted_at: at, gone_at: goneAt, status } = seen;
  if (goneAt !== null)
    return [{ at: goneAt, says: `${imp_uid} is not at the gateway any more`, why: null, who: 'maedal' }];
  const says = as === null ? undefined : (ACCOUNTED[`${as} ${status}`] ?? ACCOUNTED[as]);
  return says === undefined || at === null ? [] : [{ at, says: `${imp_uid} ${says}`, why: null, who: 'maedal' }];
}

function ofRefund({ from_state: from, to_state: to }: Step): string {
  return REFUND[`${from ?? ''}>${to}`] ?? REFUND[to] ?? `became ${to}`;
}

/** What people did, and audits found, that holds for every charge. */
function deedOf({ at, action, actor, reason }: CaseFile['deeds'][number]): Told {
  return { at, says: DEEDS[action] ?? action, why: reason, who: actor };
}

const INVOICE: Readonly<Record<string, string>> = {
  '>open': 'The invoice was drawn up',
  open: 'The invoice is collected again',
  retrying: 'The invoice is to be tried again',
  paid: 'The invoice is paid',
  uncollectible: 'The invoice was given up',
  review: 'The invoice was put before a person',
  held: 'The invoice is held for a person',
  void: 'The invoice is void: nothing is owed',
  refunded: 'The invoice was given back whole',
};

/** By where it came from and went, else by where it went. */
const ATTEMPT: Readonly<Record<string, string>> = {
  '>prepared': 'was made ready',
  'prepared>prepared': 'was put off',
  'sent>prepared': 'came to nothing, and goes again under the same id',
  'unknown>prepared': 'never arrived, and goes again under the same id',
  'review>prepared': 'was released by a person',
  'sent>unknown': 'has no clear answer, so it may have been charged; nothing else is sent until that is known',
  'unknown>unknown': 'was looked up, and is still not known to be charged or not',
  declined: 'was declined',
  rejected: 'was refused',
  canceled: 'was withdrawn, and nothing more is sent for it',
  review: 'was put before a person',
};

const PAID: Readonly<Record<string, string>> = {
  sent: 'was paid',
  unknown: 'turned out to be paid',
  prepared: 'turned out to be paid already, and was not sent',
};

const REFUND: Readonly<Record<string, string>> = {
  '>prepared': 'was put up',
  'prepared>prepared': 'was put off',
  'sent>prepared': 'did not go out, and goes again',
  'unknown>prepared': 'was not done at the gateway, and goes again',
  sent: 'was asked of the gateway',
  'sent>unknown': 'has no clear answer; it is looked up before anything is asked again',
  'unknown>unknown': 'was looked up, and is still not known to be done or not',
  done: 'is done',
  failed: 'failed',
};

/** By how a payment was accounted for, and its status where that says more. */
const ACCOUNTED: Readonly<Record<string, string>> = {
  'settles cancelled': 'was given back, in part or by us, and still is what the invoice was paid by',
  refund: 'was captured beside what is owed, and is put up for refund',
  review: 'waits for a person to look at it',
  returned: 'was given back, or is: nothing rests on it',
};

const DEEDS: Readonly<Record<string, string>> = {
  'sending.off': 'All charges were stopped',
  'sending.on': 'Charges were let go again',
  'database.adopted': 'The database was made this installation’s',
  'invoice.retried': 'A person had it tried again',
  'invoice.released': 'A person let it go on',
  'invoice.voided': 'A person ended it',
  'subscription.canceled': 'The subscription was cancelled',
  'subscription.cancel_scheduled': 'The subscription was cancelled to the end of its period',
  'subscription.cancel_taken_back': 'The cancel was taken back',
  'subscription.paused': 'The subscription was paused',
  'subscription.resumed': 'The subscription was resumed',
  'subscription.period_skipped': 'The next period was skipped',
  'subscription.plan_changed': 'The subscription’s plan or price was changed, from its next period on',
  'subscription.card_changed': 'The subscription was given another card',
  'invoice.marked_paid': 'A person called it paid',
  'refund.approved': 'A refund was approved',
  'refund.requested': 'A refund was ordered',
};
