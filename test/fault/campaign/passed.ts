import { FAILPOINTS, type Failpoint } from '../../../src/failpoints.ts';

/** The failpoints that the processes of a campaign pass: its configuration has no hooks. Tests of the flow are killed at those. */
export const PASSED: readonly Failpoint[] = FAILPOINTS.filter((name) => !name.startsWith('hook.'));
