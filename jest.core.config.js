import main from './jest.config.js';

/**
 * The core by its own tests alone, which need no servers: every branch of a rule is taken by a test that states it.
 * `npm run test:core -- --coverageReporters=text` names the lines that are not.
 *
 * @type {import('jest').Config}
 */
export default {
  ...main,
  testMatch: ['<rootDir>/test/billing/**/*.test.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  collectCoverage: true,
  collectCoverageFrom: ['src/billing/**'],
  coverageReporters: ['text-summary'],
  coverageThreshold: { global: { branches: 100 } },
};
