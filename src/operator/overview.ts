import type { FastifyInstance } from 'fastify';
import type { Db } from '../store/db.ts';
import { type Overview, readOverview } from '../store/views.ts';
import { html, type Markup, sendPage } from './html.ts';
import { isoInstant } from './instant.ts';

/** The page at `/`: how many invoices stand where, what is next, and the ways on. */
export function overviewRoute(app: FastifyInstance, db: Db): void {
  app.get('/', async (_request, reply) => sendPage(reply, 'Overview', page(await readOverview(db))));
}

function page({ counts, sending, nextAt, now }: Overview): Markup {
  const rows = counts.map(
    ({ state, count }) => html`<tr><th scope="row">${state}</th><td class="number">${count}</td></tr>\n`,
  );
  return html`${stopped(sending)}<table>
  <caption>Invoices by status</caption>
  <thead><tr><th scope="col">Status</th><th scope="col">Invoices</th></tr></thead>
  <tbody>${rows}</tbody>
</table>
<p>Next due, retries included: ${nextAt === null ? 'nothing' : nextAt <= now ? 'now' : html`<time datetime="${isoInstant(nextAt)}">${isoInstant(nextAt)}</time>`}</p>
<p><a href="/queues">Queues</a></p>
<form method="post" action="/logout"><button type="submit">Log out</button></form>`;
}

function stopped({ enabled, reason, changedBy }: Overview['sending']): Markup {
  if (enabled) return html``;
  const who = changedBy === null ? '' : ` (${changedBy})`;
  return html`<p role="alert">Sending is switched off: ${reason ?? 'no reason was given'}${who}. <code>maedal send on</code> lets charges go again.</p>
`;
}
