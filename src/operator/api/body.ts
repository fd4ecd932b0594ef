import { z } from 'zod';
import { InputError } from '../../billing/errors.ts';

/** Why something is ordered; kept in the audit. */
export const REASON = { reason: z.string().trim().min(1).max(500).default('by the API') };

/** Reads a JSON body by its schema; none at all is an empty one. Throws InputError that names the field. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new InputError(`there is no field '${issue.keys[0] ?? ''}'`, 'check its spelling');
  const field = issue?.path.join('.') ?? '';
  throw new InputError(field === '' ? 'the body is no JSON object' : `field '${field}' cannot be read`, wanted(issue));
}

/** Our own words; zod's are for programmers. */
function wanted(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'invalid_value':
      return `use ${issue.values.join(' or ')}`;
    case 'too_small':
      return 'it is empty';
    case 'too_big':
      return `it is longer than ${issue.maximum} characters`;
    case 'custom':
      return issue.message;
    default:
      return 'see /v1 in the README for its form';
  }
}
