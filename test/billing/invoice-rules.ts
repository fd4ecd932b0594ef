import { type ModelledInvoice, QUARANTINE } from './modelled-invoice.ts';
import { must } from './must.ts';

/** What holds of every invoice at every instant. */
export function stands(invoice: ModelledInvoice): void {
  const { attempts, state, reason, nextAt, dueAt, living } = invoice;
  must(attempts.filter((attempt) => ALIVE.has(attempt.state)).length <= 1, 'one attempt at most is alive');
  must(invoice.isCollected() === (nextAt !== null), 'what is collected, and that alone, has a next instant');
  must(nextAt === null || nextAt >= dueAt, 'nothing is tried before it is due');
  must(state !== 'paid' || living?.state === 'paid', 'what is paid was paid by an attempt');
  must(!NAMES_A_REASON.has(state) || reason !== null, 'what is not collected names its reason');
}

/** Of two sends under different ids, the first was answered, or its quarantine was over (protocol §2.4). */
export function everySendIsAlone({ sends, attempts, dueAt }: ModelledInvoice): void {
  for (const [index, { by, at }] of sends.entries()) {
    must(at >= dueAt, 'nothing is sent before it is due');
    const before = sends[index - 1];
    if (before === undefined || before.by === by) continue;
    const { unansweredAt, state, sends: open } = attempts[before.by] ?? NO_ATTEMPT;
    const isOpen = unansweredAt !== null || (state === 'canceled' && open > 0);
    if (isOpen) must(at.diff(before.at).as('seconds') >= QUARANTINE, 'an open send bars every other id for a day');
  }
}

const ALIVE: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown', 'paid', 'review']);
const NAMES_A_REASON: ReadonlySet<string> = new Set(['held', 'review', 'void', 'uncollectible']);
const NO_ATTEMPT = { unansweredAt: null, state: 'canceled', sends: 0 } as const;
