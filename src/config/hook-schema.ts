import { isIP } from 'node:net';
import { z } from 'zod';
import { type HOOK_POINTS, ON_ERROR } from '../billing/hook.ts';
import { hookUrlProblem } from './hook-url.ts';

/** A name that is safe as a key, a path and a label. */
export const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u;
export const NAME_PROBLEM = 'a name is 1 to 64 letters, digits, points and hyphens';

const secret = z.string().refine(isSecret, {
  error: 'write 24 to 128 printable characters, or whsec_ and the base64 of 24 to 64 bytes',
});

/** What signs, the newest first. */
export const secrets = z.union([secret, z.array(secret).min(1).max(5)], {
  error: 'write a secret, or a list of one to five: whsec_… or 24 to 128 characters each',
});

/** What is open beside public addresses. */
export const addresses = z
  .array(
    z.string().refine(isAddress, { error: 'write an address or a network, such as 10.0.3.7, 10.0.0.0/8 or fd00::/8' }),
  )
  .max(20);

const shape = {
  name: z.string().regex(NAME, { error: NAME_PROBLEM }),
  run: z
    .custom<(context: never) => unknown>((value) => typeof value === 'function', { error: 'write a function' })
    .optional(),
  url: z.string().max(2_000).optional(),
  secret: secrets.optional(),
  allowAddresses: addresses.optional(),
  timeoutMs: z.int().min(100).max(40_000).default(10_000),
};

const eventHook = z.strictObject(shape).superRefine(isFunctionOrUrl);
const beforeHook = z
  .strictObject({ ...shape, onError: z.enum(ON_ERROR).default('defer') })
  .superRefine(isFunctionOrUrl);

/** The hooks of a configuration file, by where they are called. Names are compared in `hooks.ts`. */
export const hooksSchema = z
  .strictObject({
    beforeCharge: z.array(beforeHook).max(20).prefault([]),
    afterCharge: z.array(eventHook).max(20).prefault([]),
    onDunningStep: z.array(eventHook).max(20).prefault([]),
    onSubscriptionChange: z.array(eventHook).max(20).prefault([]),
    notify: z.array(eventHook).max(20).prefault([]),
  } satisfies Record<(typeof HOOK_POINTS)[number], unknown>)
  .prefault({});

type WrittenHook = z.output<z.ZodObject<typeof shape>>;

function isFunctionOrUrl(hook: WrittenHook, context: z.RefinementCtx<WrittenHook>): void {
  const add = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (hook.url === undefined) {
    if (hook.run === undefined) add('run', 'write run, a function, or url and secret');
    if (hook.secret !== undefined) add('secret', 'only what is sent to a url is signed: remove it');
    if (hook.allowAddresses !== undefined) add('allowAddresses', 'only a url has an address: remove it');
    return;
  }
  if (hook.run !== undefined) add('run', 'a hook is a function or a url: remove one');
  if (hook.secret === undefined) add('secret', 'what is sent to a url is signed: write one, whsec_… or 24 characters');
  const problem = hookUrlProblem(hook.url, hook.allowAddresses ?? []);
  if (problem !== null) add('url', problem);
}

/** Printable, and long enough to sign with; base64 after `whsec_` (source: Standard Webhooks, "Signature scheme"). */
function isSecret(text: string): boolean {
  if (!text.startsWith('whsec_')) return /^[\x21-\x7e]{24,128}$/.test(text);
  const base64 = text.slice(6);
  const bytes = Buffer.from(base64, 'base64');
  const isWhole = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  return isWhole && bytes.length >= 24 && bytes.length <= 64;
}

function isAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
