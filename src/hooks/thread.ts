import { inspect } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import { ANSWER_BYTES, type FromThread, type LogLevel, type ToThread } from './hook-call.ts';
import { wordsOf } from './thrown.ts';

type Call = Extract<ToThread, { kind: 'call' }>;

/**
 * Runs in a thread: loads the configuration file and calls its functions, many at once. Each gets a frozen context, an
 * AbortSignal of its own and a logger; what it answers leaves as JSON text, if that is short enough.
 */
export async function serveHooks(port: MessagePort, load: () => Promise<unknown>): Promise<void> {
  const send = (message: FromThread) => port.postMessage(message);
  const running = new Map<number, AbortController>();
  let hooks: unknown;
  try {
    hooks = property(await load(), 'hooks');
  } catch (error) {
    send({ kind: 'unusable', reason: reasonOf(error) });
    return;
  }
  port.on('message', (message: ToThread) => {
    if (message.kind === 'abort') {
      running.get(message.id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(message.id, controller);
    void answer(hooks, message, controller.signal, send).then((reply) => {
      running.delete(message.id);
      send(reply);
    });
  });
  send({ kind: 'ready' });
}

async function answer(
  hooks: unknown,
  { id, point, name, payload }: Call,
  signal: AbortSignal,
  send: (message: FromThread) => void,
): Promise<FromThread> {
  try {
    const hook = hookIn(hooks, point, name);
    if (hook === null) return { kind: 'failure', id, reason: 'the configuration file has no such function any more' };
    const context = Object.freeze({ ...frozen(JSON.parse(payload)), signal, logger: loggerOf(name, send) });
    const json = JSON.stringify((await hook.run(context)) ?? null) ?? 'null';
    const bytes = Buffer.byteLength(json);
    if (bytes <= ANSWER_BYTES) return { kind: 'answer', id, json };
    return { kind: 'failure', id, reason: `its answer has ${bytes} bytes of JSON: at most ${ANSWER_BYTES}` };
  } catch (error) {
    return { kind: 'failure', id, reason: `it threw: ${reasonOf(error)}` };
  }
}

type HookFunction = { run(context: object): unknown };

function hookIn(hooks: unknown, point: string, name: string): HookFunction | null {
  const list = property(hooks, point);
  const found = Array.isArray(list) ? list.find((hook: unknown) => property(hook, 'name') === name) : undefined;
  return isHook(found) ? found : null;
}

function isHook(value: unknown): value is HookFunction {
  return typeof property(value, 'run') === 'function';
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** Lines of one call; what comes after the last of them is left out. */
function loggerOf(hook: string, send: (message: FromThread) => void): Readonly<Record<LogLevel, unknown>> {
  let lines = 0;
  const at = (level: LogLevel) => (message: unknown, fields?: unknown) => {
    lines += 1;
    if (lines > MOST_LINES) return;
    const beside = fields === undefined ? '' : ` ${written(fields)}`;
    send({ kind: 'line', hook, level, text: `${wordsOf(message)}${beside}`.slice(0, LINE_LENGTH) });
  };
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
}

/** As JSON, or, what has none (a circle, a BigInt), as Node shows it: a line in a log never fails the hook that writes it. */
function written(fields: unknown): string | undefined {
  try {
    return JSON.stringify(fields);
  } catch {
    return inspect(fields, { breakLength: Infinity, maxStringLength: LINE_LENGTH });
  }
}

function reasonOf(thrown: unknown): string {
  const visible = wordsOf(thrown)
    .slice(0, 1_200)
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ');
  return Array.from(visible.trim()).slice(0, 300).join('');
}

const MOST_LINES = 100;
const LINE_LENGTH = 4_096;
