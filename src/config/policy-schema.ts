import { z } from 'zod';
import { DECLINE_CLASSES } from '../billing/charge.ts';
import { findZone } from '../billing/local-time.ts';
import type { Rung } from '../billing/policy.ts';

/** Days after the due date, rising, then paydays: what comes after a payday is another payday, for its date is not known. */
const ladder = z
  .array(z.union([z.int().min(1).max(365), z.literal('payday')], { error: "write a day from 1 to 365, or 'payday'" }))
  .max(20)
  .refine(isRising, { error: 'write the days in rising order' })
  .refine((rungs) => !hasDayAfterPayday(rungs), {
    error: "a day after 'payday' may never be reached: write the days first",
  });

/** Of declines of this class; a card that is never tried again has no ladder. */
const classSchema = z
  .strictObject({ retryAfterDays: ladder.optional(), card: z.enum(['same', 'next', 'other']).optional() })
  .refine((rule) => !(rule.card === 'other' && (rule.retryAfterDays ?? []).length > 0), {
    path: ['retryAfterDays'],
    error: "no rung is ever reached where card is 'other': leave it out, or write card: 'same'",
  });

const classes = z
  .strictObject(Object.fromEntries(DECLINE_CLASSES.map((name) => [name, classSchema.optional()] as const)))
  .refine(({ config }) => config?.card !== 'other', {
    path: ['config', 'card'],
    error: "write 'same': no card is at fault for what your own account is refused",
  });

/** From 01:00 to 23:00 at most: card companies and banks close their day around midnight. */
const time = (from: string, until: string) =>
  z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'write HH:mm' })
    .refine((text) => text >= from && text <= until, {
      error: `write ${from} to ${until}: around midnight cards fail`,
    });

const windowSchema = z
  .strictObject({
    from: time('01:00', '22:59').default('09:00'),
    until: time('01:01', '23:00').default('21:00'),
    timezone: z
      .string()
      .refine((name) => findZone(name) !== null, { error: 'this is no time zone of the IANA database' })
      .optional(),
  })
  .refine(({ from, until }) => from < until, {
    path: ['until'],
    error: 'the window never opens: write a later time than `from`',
  });

const stepSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u, { error: 'a name is 1 to 64 letters, digits, points and hyphens' }),
  afterDays: z.int().min(0).max(365),
  access: z.enum(['full', 'grace', 'suspended']).optional(),
});

/** One policy of `dunning`, as a person writes it; what is left out: `policies.ts`. */
export const policySchema = z.strictObject({
  retryAfterDays: ladder.default([1, 3, 5]),
  minGapHours: z.number().min(0).max(720).default(24),
  paydays: z.array(z.int().min(1).max(31)).min(1).max(31).default([10, 25]),
  window: windowSchema.nullable().prefault({}),
  jitterMinutes: z.int().min(0).max(240).default(10),
  perCard: z
    .strictObject({ declines: z.int().min(1).max(1_000).default(20), days: z.int().min(1).max(365).default(30) })
    .nullable()
    .prefault({}),
  waitForCardDays: z.int().min(0).max(365).default(7),
  classes: classes.prefault({}),
  steps: z
    .array(stepSchema)
    .max(20)
    .refine(
      (steps) => steps.every((step, index) => index === 0 || step.afterDays > (steps[index - 1]?.afterDays ?? 0)),
      {
        error: 'write the steps in the order of their days, one a day',
      },
    )
    .refine((steps) => new Set(steps.map(({ name }) => name)).size === steps.length, {
      error: 'write each name once: a step is entered once by its name',
    })
    .refine(
      (steps) =>
        !steps.some(
          ({ access }, index) => access !== undefined && access !== 'suspended' && isAfterSuspension(steps, index),
        ),
      {
        error: 'write no other access after `suspended`: only a payment gives it back',
      },
    )
    .default([]),
  end: z.enum(['unpaid', 'pause', 'cancel', 'write_off']).default('unpaid'),
  later: z.enum(['hold', 'accumulate']).default('hold'),
});

function isAfterSuspension(steps: readonly { readonly access?: string | undefined }[], index: number): boolean {
  return steps.slice(0, index).some(({ access }) => access === 'suspended');
}

function isRising(rungs: readonly Rung[]): boolean {
  const days = rungs.filter((rung) => rung !== 'payday');
  return days.every((day, index) => index === 0 || day > (days[index - 1] ?? 0));
}

function hasDayAfterPayday(rungs: readonly Rung[]): boolean {
  const first = rungs.indexOf('payday');
  return first >= 0 && rungs.slice(first).some((rung) => rung !== 'payday');
}
