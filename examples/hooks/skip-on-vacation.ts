import type { UserBeforeHook } from 'maedal';

type Settings = {
  /** Your shop. Asked as `GET /members/member-1/vacation`, it answers `{ "from": "2027-01-20", "until": "2027-02-10" }`, or 404. */
  readonly shopUrl: string;
};

/** Skips the period of a member who is away on the day on which it starts; `until` is the day of the return. */
export function skipOnVacation({ shopUrl }: Settings): UserBeforeHook {
  return {
    name: 'skip-on-vacation',
    timeoutMs: 3_000,
    run: async ({ customer, invoice, signal }) => {
      const answer = await fetch(`${shopUrl}/members/${encodeURIComponent(customer.id)}/vacation`, { signal });
      if (answer.status === 404) return { kind: 'proceed' };
      if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
      const vacation: unknown = await answer.json();
      if (!isVacation(vacation)) throw new Error(`the shop answered ${JSON.stringify(vacation)}`);
      // Local dates as YYYY-MM-DD compare as text.
      const isAway = vacation.from <= invoice.period && invoice.period < vacation.until;
      return isAway ? { kind: 'skip', reason: `휴가 ${vacation.from} ~ ${vacation.until}` } : { kind: 'proceed' };
    },
  };
}

function isVacation(value: unknown): value is { readonly from: string; readonly until: string } {
  if (typeof value !== 'object' || value === null || !('from' in value && 'until' in value)) return false;
  return [value.from, value.until].every((date) => typeof date === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(date));
}
