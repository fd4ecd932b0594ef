import type { FastifyInstance, FastifyReply } from 'fastify';

/** Text that is HTML already. Only `html` makes it, and it escapes everything that is put in. */
export class Markup {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

/** HTML with values put in as text: any string renders as itself and as nothing else. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (Markup | readonly Markup[] | string | number)[]
) {
  return new Markup(parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part));
}

/** Sends a whole page of the console. */
export function sendPage(reply: FastifyReply, title: string, body: Markup): FastifyReply {
  const page = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>${title} · maedal</title>
  <link rel="stylesheet" href="/login.css">
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return reply.type('text/html; charset=utf-8').send(String(page));
}

/** The console's one style sheet, and no icon, which browsers ask for unasked. Public, because the login page wears both. */
export function styleRoute(app: FastifyInstance): void {
  app.get('/login.css', { config: { access: 'public' } }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8').send(STYLE),
  );
  app.get('/favicon.ico', { config: { access: 'public' } }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=86400').code(204).send(),
  );
}

function render(value: Markup | readonly Markup[] | string | number): string {
  if (value instanceof Markup) return String(value);
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return value.map(String).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
label, input { display: block; }
input { font: inherit; width: 100%; max-width: 20rem; margin: 0.25rem 0 1rem; padding: 0.4rem; box-sizing: border-box; }
button { font: inherit; padding: 0.4rem 1rem; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: left; border-bottom: 1px solid; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
[role='alert'] { font-weight: 600; }
`;
