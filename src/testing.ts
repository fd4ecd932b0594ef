/** What a merchant's tests of hooks import, as `maedal/testing`. It needs no test framework and charges nobody. */
export { type ChargeOverrides, chargeContext } from './testing/charge-context.ts';
export { event } from './testing/event.ts';
export { type HookLine, type HookRun, type RunOptions, runBeforeHook, runEventHook } from './testing/run-hook.ts';
export { type LedgerEntry, startSandbox, type TestSandbox } from './testing/sandbox.ts';
export { type TestClock, virtualClock } from './testing/virtual-clock.ts';
