import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Failpoints } from '../failpoints.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { Post } from '../hooks/outgoing.ts';
import type { SigningSecrets } from '../hooks/signature.ts';
import type { Exceptions } from '../hooks/target.ts';
import type { NotifyStore } from '../store/notify-store.ts';
import type { Listener } from '../store/outbox.ts';

/** A server of the merchant's that is told of events, by `events.endpoints` or as a hook. */
export type Endpoint = Listener & {
  readonly url: string;
  /** The newest first; never shown. */
  readonly secrets: () => SigningSecrets;
  readonly allow: Exceptions;
  /** Limit of one try; 15 s where it says none. */
  readonly timeoutMs?: number;
};

/** A function of the merchant's that is told of events. */
export type ToldFunction = Listener & {
  /** Never rejects. `key` is the event's id. */
  readonly call: (key: string, payload: string) => Promise<HookAnswer>;
};

/** What the relay works with. */
export type NotifyDeps = {
  readonly store: NotifyStore;
  readonly post: Post;
  readonly clock: Clock;
  readonly report: Report;
  readonly failpoints: Failpoints;
  readonly listeners: readonly (Endpoint | ToldFunction)[];
  /** What this process takes the database for: nothing of another one is delivered. */
  readonly fingerprint: string;
};
