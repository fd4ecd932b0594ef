import type { HookPoint } from '../billing/hook.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Hook, HookTarget } from '../config/hooks.ts';
import type { Report } from '../events.ts';
import { ANSWER_BYTES, type HookAnswer, type HookCall } from '../hooks/hook-call.ts';
import { outgoingPost, type Post } from '../hooks/outgoing.ts';
import { type SigningSecrets, sign } from '../hooks/signature.ts';
import { hookThreads } from './hook-threads.ts';

/** Calls a hook, a function or a URL alike. Never rejects. */
export type CallHook = (point: HookPoint, hook: Hook, call: Omit<HookCall, 'point' | 'name'>) => Promise<HookAnswer>;

type HookCaller = { readonly call: CallHook; readonly close: () => Promise<void> };

/** The merchant's code, on the host's own clock; threads are begun when the first function is called. */
export function hookCaller({ configFile }: Config, report: Report): HookCaller {
  const threads = hookThreads({ configFile, report });
  const post = outgoingPost(systemClock);
  return {
    call: async (point, { name, target }, call) =>
      target.kind === 'function'
        ? threads.call({ ...call, point, name })
        : postTo({ post, clock: systemClock }, target, call),
    close: () => threads.close(),
  };
}

/** POSTs the context to a URL, signed under the call's key; any 2xx with JSON is an answer. */
async function postTo(
  { post, clock }: { readonly post: Post; readonly clock: Clock },
  { url, secrets, allowAddresses }: Extract<HookTarget, { kind: 'url' }>,
  { key, payload, timeoutMs }: Pick<HookCall, 'key' | 'payload' | 'timeoutMs'>,
): Promise<HookAnswer> {
  const signed = sign(signingSecrets(secrets), { id: key, at: new Date(clock.nowMs()), body: payload });
  const posted = await post({
    url,
    headers: { ...signed, 'content-type': 'application/json' },
    body: payload,
    timeoutMs,
    maxBytes: ANSWER_BYTES,
    allow: { addresses: allowAddresses },
  });
  if (posted.kind === 'failed') return posted;
  if (posted.status < 200 || posted.status > 299) return { kind: 'failed', reason: `it answered ${posted.status}` };
  try {
    return { kind: 'answered', value: JSON.parse(posted.body.toString('utf8')) };
  } catch {
    return { kind: 'failed', reason: `it answered ${posted.status} without JSON` };
  }
}

/** In the scheme's own form, whose base64 stands for the bytes of a secret that is written plainly. */
function signingSecrets(secrets: Extract<HookTarget, { kind: 'url' }>['secrets']): SigningSecrets {
  const [first, ...others] = secrets
    .map((secret) => secret.reveal())
    .map((text) => (text.startsWith('whsec_') ? text : `whsec_${Buffer.from(text).toString('base64')}`));
  if (first === undefined) throw new Error('a hook that is a url has a secret');
  return [first, ...others];
}
