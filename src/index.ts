export {
  defineConfig,
  type UserChannel,
  type UserConfig,
  type UserLimits,
  type UserPlan,
  type UserPolicy,
} from './config/define-config.ts';
