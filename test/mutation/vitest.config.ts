import { defineConfig } from 'vitest/config';

const root = new URL('../..', import.meta.url).pathname;

export default defineConfig({
  resolve: { alias: [{ find: /^fast-check$/, replacement: `${root}test/mutation/few-runs.ts` }] },
  test: {
    root,
    include: ['test/mutation/judge.ts'],
    testTimeout: 10_000,
  },
});
