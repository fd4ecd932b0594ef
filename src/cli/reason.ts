import { InputError } from '../billing/errors.ts';

/** Reads `--reason`: it is kept for whoever asks later, so it must say something. Throws InputError. */
export function parseReason(text: string): string {
  const reason = text.trim();
  if (reason.length > 0 && reason.length <= 500) return reason;
  throw new InputError(`--reason has ${reason.length} characters`, 'say in 1 to 500 characters why');
}
