/** Which way bytes go. */
export type Direction = 'to-server' | 'to-client';

/** What can happen to one request and the reply to it. */
export type RequestFault =
  /** The server never hears of it; both connections are reset. */
  | { readonly kind: 'cut-before-request' }
  /** The server gets half of the bytes and the end of the connection; the client's is reset. */
  | { readonly kind: 'cut-in-request' }
  /** The server gets it whole; the client's connection is reset at once. Whether it acts on it is its own affair. */
  | { readonly kind: 'cut-after-request' }
  /** The server has answered, so it has acted; the client's connection is reset, not a byte of the reply arrives. */
  | { readonly kind: 'swallow-reply' }
  /** The server has answered; the client gets half of the bytes and the end of the connection. */
  | { readonly kind: 'cut-in-reply' }
  /**
   * From this request on nothing arrives that way for so long, and nobody is told: no end, no reset. Then all of it
   * arrives, in order, also when its sender has long given up. `every`: on all connections, new ones included.
   */
  | {
      readonly kind: 'black-hole';
      readonly direction: Direction;
      readonly ms: number;
      readonly scope?: 'connection' | 'every';
    }
  /** The request and the reply arrive this much later, and in slices of so many bytes. */
  | { readonly kind: 'slow'; readonly delayMs?: number; readonly sliceBytes?: number };

/** What can happen to a client that connects. */
type ConnectFault =
  /** The connection is accepted and closed. */
  { readonly kind: 'accept-then-close' };

/** Nobody listens any more: connecting is refused from now on, for `ms` or until disarmed. Connections there go on. */
type RefuseFault = { readonly kind: 'refuse'; readonly ms?: number };

/** How often a fault strikes among its chances. */
type Chance = {
  /** How many times at most; once by default, `Infinity` for as long as it is armed. */
  readonly times?: number;
  /** The share of chances it takes, drawn from `seed`; every one by default. The same seed draws the same. */
  readonly rate?: number;
  readonly seed?: number;
};

/** `match` is held against a request's subject (see each wire); without it every request is a chance. */
export type ArmedFault = (RequestFault & Chance & { readonly match?: RegExp }) | (ConnectFault & Chance) | RefuseFault;

export type FaultKind = ArmedFault['kind'];

/** A fault did its deed just now; a black hole or a slow request, when it began. */
export type Firing = {
  readonly kind: FaultKind;
  /** Of the request that was struck; empty for what strikes no request. */
  readonly subject: string;
  /** Counts the proxy's connections from 1; 0 for what strikes none. */
  readonly connection: number;
  /** Milliseconds since 1970 by the proxy's clock. */
  readonly atMs: number;
};
