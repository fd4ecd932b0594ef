import { z } from 'zod';
import { InputError } from '../billing/errors.ts';
import type { Hint } from '../store/hints.ts';

/** A body as it came, and how it is written. */
export type Body = { readonly text: string; readonly as: 'json' | 'form' };

/**
 * Reads PortOne's webhook: `imp_uid`, `merchant_uid`, `status`, as JSON or as a form (fact sheet §7). What is no id is read
 * as none; nothing of it decides anything. Throws InputError for a body that is neither.
 */
export function readHint({ text, as }: Body, source: string | null): Hint {
  const fields = as === 'json' ? jsonFields(text) : Object.fromEntries(new URLSearchParams(text));
  const { imp_uid: impUid, merchant_uid: merchantUid, status } = schema.parse(fields);
  return { impUid, merchantUid, status, source, raw: text.replaceAll('\0', '') };
}

function jsonFields(text: string): object {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InputError('the body is no JSON object', 'PortOne sends `imp_uid`, `merchant_uid` and `status`');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Visible ASCII alone: what is stored and shown later holds no control characters and no halves of letters. */
const id = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/)
  .nullable()
  .catch(null);
const schema = z.object({ imp_uid: id, merchant_uid: id, status: id });
