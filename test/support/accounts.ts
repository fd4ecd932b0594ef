/** What the sandbox captured and what maedal calls paid, each as `subscription period`, sorted. */
export type Accounts = {
  readonly captured: readonly string[];
  readonly paid: readonly string[];
  readonly open: readonly OpenAttempt[];
};

/** An attempt that is not decided yet. */
type OpenAttempt = { readonly merchant_uid: string; readonly state: string };

type Invoice = { subscription_id: string; period: string; status: string; attempts: OpenAttempt[] };
type Entry = { status: string; custom_data: string };

/** Reads both sides over HTTP, all pages. Attempts that are not decided yet are in neither. */
export async function readAccounts(consoleUrl: string, token: string, sandboxUrl: string): Promise<Accounts> {
  const invoices = await all<Invoice>(`${consoleUrl}/v1/invoices?limit=1000`, { authorization: `Bearer ${token}` });
  const ledger = await all<Entry>(`${sandboxUrl}/_sandbox/ledger?limit=1000`, {});
  const custom = ledger
    .filter((entry) => entry.status === 'paid')
    .map((entry): { subscription: string; period: string } => JSON.parse(entry.custom_data));
  const open = invoices.flatMap((invoice) => invoice.attempts).filter((attempt) => OPEN.has(attempt.state));
  return {
    captured: custom.map(({ subscription, period }) => `${subscription} ${period}`).sort(),
    paid: invoices
      .filter((invoice) => invoice.status === 'paid')
      .map((invoice) => `${invoice.subscription_id} ${invoice.period}`)
      .sort(),
    open,
  };
}

async function all<Item>(url: string, headers: Record<string, string>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const response: Response = await fetch(cursor === null ? url : `${url}&cursor=${encodeURIComponent(cursor)}`, {
      headers,
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { data: Item[]; next_cursor: string | null };
    items.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

const OPEN: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown']);
