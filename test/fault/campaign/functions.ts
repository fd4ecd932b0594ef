import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BeforeCharge, BeforeChargeAnswer } from '../../../src/billing/hook.ts';
import { chargedOf, isLoyal } from './hooks.ts';

// The merchant's functions, called in threads of the processes under test. What they hear they write where the merchant's
// server writes what it hears, before they answer.

/** Where askings are written, one a line, and where events. */
export const ASKED_FILE = 'asked.jsonl';
export const TOLD_FILE = 'told.jsonl';

/** A before-hook; of twenty calls one throws. */
export function loyal(context: BeforeCharge, directory: string): BeforeChargeAnswer {
  const { hook, idempotencyKey: key, subscription } = context;
  write(directory, ASKED_FILE, { hook, key });
  if (Math.random() < THROWS) throw new Error('of twenty calls one throws');
  const number = Number(subscription.id.slice(4));
  return isLoyal(number) ? { kind: 'adjust', amount: chargedOf(number) } : { kind: 'proceed' };
}

/** Told of charges. */
export function note(context: Told, directory: string): void {
  const { signal: _signal, logger: _logger, ...event } = context;
  const { id, type, sequence } = event;
  const mark = createHash('sha256').update(JSON.stringify(event)).digest('base64');
  write(directory, TOLD_FILE, { id, type, sequence, at: '/function', mark });
}

type Told = {
  readonly id: string;
  readonly type: string;
  readonly sequence: number | null;
  readonly signal: unknown;
  readonly logger: unknown;
};

function write(directory: string, file: string, line: object): void {
  appendFileSync(join(directory, file), `${JSON.stringify(line)}\n`);
}

const THROWS = 0.05;
