import { Cron } from 'croner';
import { z } from 'zod';

import { INTERVALS } from '../billing/calendar.ts';
import { DECLINE_CLASSES } from '../billing/charge.ts';
import { InputError } from '../billing/errors.ts';
import { findZone } from '../billing/local-time.ts';
import { exponentOf, type Money, parseMajor } from '../billing/money.ts';
import { CATCH_UP } from '../billing/subscription.ts';
import { didYouMean } from '../nearest-name.ts';
import type { UserConfig } from './define-config.ts';
import { eventsSchema } from './event-schema.ts';
import { hooksSchema, NAME, NAME_PROBLEM } from './hook-schema.ts';
import { isPgProvider, pgProviderProblem } from './pg-providers.ts';
import { policySchema } from './policy-schema.ts';
import { reasonOf } from './reason.ts';
import { webhooksSchema } from './webhooks.ts';

/** The shape of a configuration file and every rule about one setting alone. Rules between settings: `resolve.ts`. */
export const fileSchema = z.strictObject({
  schedule: z.string().max(100).default('* * * * *').refine(isCron, { error: cronProblem }),
  timezone: z.string().default('Asia/Seoul').refine(isZone, { error: zoneProblem }),
  chargeAt: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'write HH:mm, from 00:00 to 23:59' })
    .default('10:00'),
  catchUp: z.enum(CATCH_UP).default('latest'),
  refundDuplicates: z.enum(['auto', 'propose']).default('propose'),
  channels: named(() => channelSchema),
  plans: named(() => planSchema),
  dunning: named(() => policySchema),
  declines: z
    .record(
      z.string().refine(isPgProvider, { error: (issue) => pgProviderProblem(String(issue.input)) }),
      z.lazy(() => declinesSchema),
    )
    .prefault({}),
  hooks: hooksSchema,
  events: eventsSchema,
  webhooks: webhooksSchema,
  limits: z
    .strictObject({
      concurrency: z.int().min(1).max(200).default(50),
      leaseSeconds: z.int().min(5).max(600).default(90),
      reRingSeconds: z.int().min(5).max(3_600).default(120),
      maxUnknownShare: z.number().min(0.02).max(1).default(0.2),
      maxAmount: z.record(currency(), z.int().min(1)).nullable().default(null),
    })
    .prefault({}),
}) satisfies z.ZodType<unknown, Omit<UserConfig, 'hooks'> & { readonly hooks?: unknown }>;

/** A configuration file that was read. */
export type FileConfig = z.output<typeof fileSchema>;

const channelSchema = z.strictObject({
  pg: z.string().min(1).max(100).optional(),
  mode: z.enum(['test', 'live']).optional(),
  ratePerSecond: z.number().min(0.1).max(1_000).nullable().default(null),
  timeoutSeconds: z.int().min(1).max(300).optional(),
  horizonSeconds: z.int().min(1).max(604_800).optional(),
  quarantineSeconds: z.int().min(1).max(2_592_000).optional(),
  declinesAreFinal: z.boolean().optional(),
});

const planSchema = z
  .strictObject({
    name: z.string().refine((name) => name.trim() !== '' && name.length <= 40, {
      error: 'write 1 to 40 characters; PortOne takes no more',
    }),
    amount: z.union([z.number(), z.string()], { error: 'write major units, such as 9900 or "9.90"' }),
    currency: currency(),
    interval: z.enum(INTERVALS),
    intervalCount: z.int().min(1).max(1_000).default(1),
    policy: z.string().default('default'),
    maxAmount: z.union([z.number(), z.string()], { error: 'write major units, such as 50000 or "50.00"' }).optional(),
  })
  // Also when another key is wrong, so that all problems are told at once.
  .refine((plan) => amountProblem(plan) === null, {
    path: ['amount'],
    when: () => true,
    error: (issue) => amountProblem(issue.input) ?? '',
  })
  .refine((plan) => ceilingProblem(plan) === null, {
    path: ['maxAmount'],
    when: () => true,
    error: (issue) => ceilingProblem(issue.input) ?? '',
  });

const declinesSchema = z.strictObject({
  codes: declineLines(/^[A-Z0-9_-]{1,40}$/, 'write the code alone, up to 40 capital letters, digits, - and _'),
  texts: declineLines(/^(?=.{1,100}$)\s*\S\s*\S/u, 'write a part of the text, 2 to 100 characters besides spaces'),
});

/** Classes by what an answer says. */
function declineLines(form: RegExp, error: string) {
  return z.record(z.string().regex(form, { error }), z.enum(DECLINE_CLASSES)).prefault({});
}

/** A record by names that are safe as keys, paths and labels. Lazy, so that the parts can stand below the whole. */
function named<T extends z.ZodType>(value: () => T) {
  const name = z.string().regex(NAME, { error: NAME_PROBLEM });
  return z.record(name, z.lazy(value)).prefault({});
}

function currency() {
  return z.string().refine(isCurrency, { error: 'use an ISO 4217 code in upper case, such as KRW or USD' });
}

/** Five fields that some instant fits; croner alone would take seconds, dates and words. */
function isCron(text: string): boolean {
  return cronFault(text) === null;
}

function cronProblem(issue: { input?: unknown }): string {
  return `${cronFault(String(issue.input))}; write five cron fields, such as */5 * * * *`;
}

function cronFault(text: string): string | null {
  if (!/^\S+( +\S+){4}$/.test(text)) return 'this is no cron expression of five fields';
  try {
    const runs = new Cron(text, { mode: '5-part', timezone: 'UTC' }).nextRun(new Date('2028-01-01T00:00:00Z'));
    return runs === null ? 'no date ever fits this cron expression' : null;
  } catch (error) {
    return reasonOf(error).replace(/^CronPattern: /, '');
  }
}

function isZone(name: string): boolean {
  return findZone(name) !== null;
}

function zoneProblem(issue: { input?: unknown }): string {
  const suggestion = didYouMean(String(issue.input), Intl.supportedValuesOf('timeZone'));
  return `this is no time zone of the IANA database, such as Asia/Seoul${suggestion}`;
}

function isCurrency(code: string): boolean {
  try {
    return exponentOf(code) >= 0;
  } catch {
    return false;
  }
}

function amountProblem(plan: unknown): string | null {
  const amount = amountOf(plan, 'amount');
  if (amount === null || typeof amount === 'string') return amount;
  return amount.minor > 0 ? null : 'a price is above zero';
}

function ceilingProblem(plan: unknown): string | null {
  const [price, ceiling] = [amountOf(plan, 'amount'), amountOf(plan, 'maxAmount')];
  if (ceiling === null || typeof ceiling === 'string') return ceiling;
  if (price === null || typeof price === 'string' || ceiling.minor >= price.minor) return null;
  return 'hooks may go up to it, so it is not below the amount';
}

/** An amount of a plan, or what is wrong with it; null for what another key's own rule tells. */
function amountOf(plan: unknown, key: 'amount' | 'maxAmount'): Money | string | null {
  const major = z.union([z.number(), z.string()]);
  const known = z.looseObject({ amount: major, maxAmount: major.optional(), currency: z.string() }).safeParse(plan);
  const written = known.data?.[key];
  if (written === undefined || !isCurrency(known.data?.currency ?? '')) return null;
  try {
    return parseMajor(String(written), known.data?.currency ?? '');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
