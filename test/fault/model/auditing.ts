import type { Agenda } from './agenda.ts';
import { recordOf } from './books.ts';
import type { Chance } from './chance.ts';
import type { ModelGateway } from './model-gateway.ts';
import { letChargesGo } from './people.ts';
import { observe } from './store/observing.ts';
import type { Tables } from './store/tables.ts';

/** The rows, the gateway whose books are compared with them, and when things happen to both. */
type Books = { readonly tables: Tables; readonly gateway: ModelGateway; readonly agenda: Agenda };

const MINUTE_MS = 60_000;
const STOPPED = { sending_enabled: false, alarms: 'standing' } as const;

/**
 * Audits follow one another until one passes: what the gateway took under an id that no attempt has stops the sending,
 * and after a while a person lets charges go again.
 */
export function auditUntilPassed(books: Books, chance: Chance): void {
  const { agenda, tables } = books;
  const soonMs = () => tables.nowMs + chance.below(chance.hits(0.5) ? 2 * MINUTE_MS : 120 * MINUTE_MS);
  agenda.at(soonMs(), 'an audit ends', () => {
    if (tables.statement(() => audit(books))) return;
    agenda.at(soonMs(), 'a person lets charges go again', () => {
      letChargesGo(tables, 'looked at');
      auditUntilPassed(books, chance);
    });
  });
}

/** Compares the books as `recordAudit` judges them. Returns whether they agree. */
function audit({ tables, gateway }: Books): boolean {
  observe(
    tables,
    gateway.payments.map((payment) => recordOf(payment)),
    'audit',
  );
  const known = new Set<string>([...tables.attempts.all()].map(({ merchant_uid }) => merchant_uid));
  const since = tables.control.acknowledged_at ?? Number.NEGATIVE_INFINITY;
  const unknown = tables.observations.where(
    ({ account_at, first_seen_at, merchant_uid }) =>
      account_at !== null && first_seen_at > since && !known.has(merchant_uid),
  );
  const passed = unknown.length === 0;
  const audited = { audited_in: tables.serverStart, audited_at: passed ? tables.nowMs : null };
  tables.control = { ...tables.control, ...audited, ...(passed ? {} : STOPPED) };
  return passed;
}
