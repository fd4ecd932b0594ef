import type { HookAnswer } from '../hooks/hook-call.ts';
import type { Delivery, Tried } from '../store/deliveries.ts';
import { waitSeconds } from './back-off.ts';
import type { ToldFunction } from './deps.ts';

/** Until a call of which nothing can be said is made again. */
const UNDONE_SECONDS = 5;
const STOPPING: HookAnswer = { kind: 'undone', reason: 'this process is stopping' };

/** Tells a function of an event; what it answers is not looked at. Once the signal is aborted it is not waited for. */
export async function tellFunction(
  { call }: ToldFunction,
  { eventId, tries, now }: Delivery,
  body: string,
  signal?: AbortSignal,
): Promise<Tried> {
  const answer = await unlessAborted(call(eventId, body), signal);
  if (answer.kind === 'answered') return { kind: 'delivered', status: null };
  const { kind, reason } = answer;
  const afterSeconds = kind === 'undone' ? UNDONE_SECONDS : waitSeconds(tries, eventId, null, now);
  return { kind, status: null, reason, afterSeconds };
}

async function unlessAborted(answer: Promise<HookAnswer>, signal: AbortSignal | undefined): Promise<HookAnswer> {
  if (signal === undefined) return answer;
  if (signal.aborted) return STOPPING;
  return new Promise((resolve) => {
    const stop = () => resolve(STOPPING);
    signal.addEventListener('abort', stop, { once: true });
    void answer.then((one) => {
      signal.removeEventListener('abort', stop);
      resolve(one);
    });
  });
}
