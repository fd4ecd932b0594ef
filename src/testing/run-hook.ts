import type { BeforeCharge, BeforeChargeAnswer, OnError } from '../billing/hook.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { HookLogger, HookTools, MaedalEvent, UserBeforeHook, UserEventHook } from '../config/define-hooks.ts';
import { readBeforeAnswer } from '../hooks/before-answer.ts';
import { ANSWER_BYTES } from '../hooks/hook-call.ts';
import { frozen } from './frozen.ts';

/** A line that the hook wrote to its logger. */
export type HookLine = {
  readonly level: keyof HookLogger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** What came of running a hook: its answer as maedal reads it, or why there is none, and the lines it wrote. */
export type HookRun<Answer> = { readonly lines: readonly HookLine[] } & (
  | { readonly kind: 'answered'; readonly answer: Answer }
  | {
      readonly kind: 'failed';
      /** As maedal writes it down. */
      readonly reason: string;
      /** What follows by the hook's `onError`; an event hook is told again. */
      readonly follows: OnError | 'again';
    }
);

export type RunOptions = {
  /** Measures the hook's time limit. Default the host's own clock. */
  readonly clock?: Clock | undefined;
};

/**
 * Asks a before-hook as maedal does: a frozen copy of the context, an AbortSignal, its own time limit, and an answer that
 * is read by the same rules. It runs in this thread: a hook that blocks it blocks the test. Never rejects for what the
 * hook does; throws RangeError for a hook that is a URL.
 */
export async function runBeforeHook(
  hook: UserBeforeHook,
  context: BeforeCharge,
  options: RunOptions = {},
): Promise<HookRun<BeforeChargeAnswer>> {
  const { outcome, lines } = await run(hook, { ...context, hook: hook.name }, options);
  const follows = hook.onError ?? 'defer';
  if (outcome.kind === 'failed') return { ...outcome, follows, lines };
  const read = readBeforeAnswer(outcome.value);
  if (read.kind === 'refused') return { kind: 'failed', reason: read.reason, follows, lines };
  return { kind: 'answered', answer: read.answer, lines };
}

/** Tells an event hook of an event as maedal does. What it answers is not looked at: `answer` is null. */
export async function runEventHook(
  hook: UserEventHook,
  event: MaedalEvent,
  options: RunOptions = {},
): Promise<HookRun<null>> {
  const { outcome, lines } = await run(hook, event, options);
  if (outcome.kind === 'failed') return { ...outcome, follows: 'again', lines };
  return { kind: 'answered', answer: null, lines };
}

type Runnable<Data> = {
  readonly name: string;
  readonly timeoutMs?: number | undefined;
  readonly run?: ((context: Data & HookTools) => unknown) | undefined;
};
type Outcome =
  | { readonly kind: 'answered'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly reason: string };

async function run<Data extends object>(
  { name, run, timeoutMs = 10_000 }: Runnable<Data>,
  data: Data,
  { clock = systemClock }: RunOptions,
): Promise<{ outcome: Outcome; lines: readonly HookLine[] }> {
  if (run === undefined) throw new RangeError(`${name} is a url: send it a signed request instead`);
  const lines: HookLine[] = [];
  const stopped = new AbortController();
  const tools = { signal: stopped.signal, logger: loggerInto(lines) };
  const context = Object.freeze({ ...frozen(structuredClone(data)), ...tools });
  let forget = () => {};
  const late = new Promise<Outcome>((resolve) => {
    forget = clock.after(timeoutMs, () => {
      resolve({ kind: 'failed', reason: `it did not answer within ${timeoutMs} ms` });
      stopped.abort();
    });
  });
  const outcome = await Promise.race([answerOf(() => run(context)), late]);
  forget();
  return { outcome, lines };
}

/** As JSON has it: that is how an answer leaves its thread. */
async function answerOf(call: () => unknown): Promise<Outcome> {
  try {
    const json = JSON.stringify((await call()) ?? null) ?? 'null';
    const bytes = Buffer.byteLength(json);
    if (bytes > ANSWER_BYTES) {
      return { kind: 'failed', reason: `its answer has ${bytes} bytes of JSON: at most ${ANSWER_BYTES}` };
    }
    return { kind: 'answered', value: JSON.parse(json) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: `it threw: ${text.replace(/\s+/g, ' ').trim().slice(0, 300)}` };
  }
}

function loggerInto(lines: HookLine[]): HookLogger {
  const at =
    (level: keyof HookLogger) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, message, fields });
    };
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
}
