/** The shape of every V1 answer. `code` 0: the call worked, which says nothing about a charge's `status`. */
export type Envelope = { readonly code: number; readonly message: string | null; readonly response: unknown };

/** A call that worked. */
export function success(response: unknown): Envelope {
  return { code: 0, message: null, response };
}

/** A call that did not, with the message for the caller. */
export function failure(code: number, message: string): Envelope {
  return { code, message, response: null };
}

/** What a proxy answers in the place of a PortOne that is away. */
export const PAGE_502 = '<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>';

/** Thrown by a route: the call ends with this HTTP status, `code` and message. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
