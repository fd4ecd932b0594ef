import { CLAIMS } from './claims.ts';
import { INTENTS } from './intents.ts';
import { JUDGEMENTS } from './judgements.ts';
import type { Mutant } from './mutant.ts';
import { READINGS } from './readings.ts';
import { RECORDS } from './records.ts';
import { SETTLING } from './settling.ts';

/** Each a way in which others have charged twice or lost a charge (protocol §3.5). */
export const MUTANTS: readonly Mutant[] = [...READINGS, ...JUDGEMENTS, ...INTENTS, ...CLAIMS, ...RECORDS, ...SETTLING];
