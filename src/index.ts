export {
  defineConfig,
  type UserChannel,
  type UserConfig,
  type UserDeclines,
  type UserLimits,
  type UserPlan,
  type UserPolicy,
} from './config/define-config.ts';
