import type { App } from '../app.ts';
import { outgoingPost } from '../hooks/outgoing.ts';
import type { NotifyDeps } from '../notify/deps.ts';
import { notifyStore } from '../store/notify-store.ts';
import { hookListeners } from './hook-listeners.ts';
import { hookThreads } from './hook-threads.ts';

/** What the relay of events needs. Functions run in threads of its own, begun when the first is called. */
export function notifyDeps(app: App): NotifyDeps {
  const { db, clock, report, config, identity, failpoints } = app;
  const endpoints = config.endpoints.map(({ name, url, secrets, types, allowAddresses, ca, address }) => {
    const [newest, ...older] = secrets;
    return {
      ...{ name, types, address, url: url.reveal(), allow: { addresses: allowAddresses, ca } },
      secrets: () => [newest.reveal(), ...older.map((secret) => secret.reveal())] as const,
    };
  });
  const threads = hookThreads({ configFile: config.configFile, report });
  app.onClose(() => threads.close());
  const listeners = [...endpoints, ...hookListeners(config.hooks, threads)];
  const { fingerprint } = identity;
  return { store: notifyStore(db), post: outgoingPost(clock), clock, report, failpoints, listeners, fingerprint };
}
