import { defineConfig } from 'vitest/config';

/** Tests against a real Tryton: `npm run test:tryton`. Not part of `npm test`, which needs nothing but Node. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/tryton/**/*.spec.ts'],
    globalSetup: ['test/tryton/global-setup.ts'],
    // One server, one SQLite database: files take turns.
    fileParallelism: false,
    // An order is cut off at each of its calls, before and after: minutes on a busy machine.
    testTimeout: 300_000,
    // Packages may have to be installed first.
    hookTimeout: 600_000,
    restoreMocks: true,
    reporters: ['default'],
  },
});
