import { defineConfig } from 'vitest/config';

const root = new URL('../..', import.meta.url).pathname;
const fewRuns = `${root}test/mutation/few-runs.ts`;

export default defineConfig({
  plugins: [
    {
      name: 'few-runs',
      enforce: 'pre',
      resolveId: (name, importer) => (name === 'fast-check' && importer !== fewRuns ? fewRuns : null),
    },
  ],
  test: {
    root,
    include: ['test/mutation/judge.ts'],
    testTimeout: 10_000,
  },
});
