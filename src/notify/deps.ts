import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Post } from '../hooks/outgoing.ts';
import type { SigningSecrets } from '../hooks/signature.ts';
import type { Exceptions } from '../hooks/target.ts';
import type { NotifyStore } from '../store/notify-store.ts';
import type { Listener } from '../store/outbox.ts';

/** A server of the merchant's that is told of events. */
export type Endpoint = Listener & {
  readonly url: string;
  /** The newest first; never shown. */
  readonly secrets: () => SigningSecrets;
  readonly allow: Exceptions;
};

/** What the relay works with. */
export type NotifyDeps = {
  readonly store: NotifyStore;
  readonly post: Post;
  readonly clock: Clock;
  readonly report: Report;
  readonly endpoints: readonly Endpoint[];
  /** What this process takes the database for: nothing of another one is delivered. */
  readonly fingerprint: string;
};
