export type { BeforeCharge, BeforeChargeAnswer, PreviousOutcome } from './billing/hook.ts';
export {
  defineConfig,
  type UserChannel,
  type UserConfig,
  type UserDeclines,
  type UserLimits,
  type UserPlan,
  type UserPolicy,
} from './config/define-config.ts';
export type { UserEndpoint, UserEvents } from './config/define-events.ts';
export type {
  BeforeChargeContext,
  BeforeChargeReply,
  EventContext,
  HookLogger,
  HookTools,
  MaedalEvent,
  UserBeforeHook,
  UserEventHook,
  UserHooks,
} from './config/define-hooks.ts';
