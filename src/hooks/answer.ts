import type { Dispatcher } from 'undici';

type Read =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reads an answer up to `maxBytes`, the bytes as they come: what is compressed, or longer, is refused unread. */
export async function readAnswer(response: Dispatcher.ResponseData, maxBytes: number): Promise<Read> {
  response.body.on('error', () => undefined); // what is left unread may break without anybody waiting for it
  const headers = flat(response.headers);
  const answered = { kind: 'answered', status: response.statusCode, headers } as const;
  if (maxBytes === 0) return { ...answered, body: Buffer.alloc(0) };
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return { kind: 'failed', reason: `the answer is encoded (${encoding.slice(0, 40)})` };
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return { kind: 'failed', reason: `the answer is longer than ${maxBytes} bytes` };
    chunks.push(chunk);
  }
  return { ...answered, body: Buffer.concat(chunks) };
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
