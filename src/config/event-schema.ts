import { z } from 'zod';
import { addresses, NAME, NAME_PROBLEM, secrets } from './hook-schema.ts';
import { hookUrlProblem } from './hook-url.ts';

const endpoint = z
  .strictObject({
    name: z.string().regex(NAME, { error: NAME_PROBLEM }),
    url: z.string().max(2_000),
    secret: secrets,
    types: z
      .array(z.string().regex(/^[a-z_]+\.[a-z_]+$/, { error: 'write the kind of an event, such as charge.succeeded' }))
      .min(1)
      .max(100)
      .optional(),
    allowAddresses: addresses.optional(),
    ca: z
      .string()
      .max(100_000)
      .refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), { error: 'write certificates as PEM' })
      .optional(),
  })
  .superRefine(({ url, allowAddresses = [] }, context) => {
    const problem = hookUrlProblem(url, allowAddresses);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['url'], message: problem });
  });

/** Where events go. That names are used once is for `events.ts` to say. */
export const eventsSchema = z.strictObject({ endpoints: z.array(endpoint).max(20).prefault([]) }).prefault({});
