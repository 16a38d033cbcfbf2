import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = new URL('../..', import.meta.url).pathname;

/** What is quick first: the first test that fails ends the run of a mutant. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => (/\/(properties|scenarios)\//.test(moduleId) ? 1 : 0);
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * The quick suites that judge `shared/core` and the mappers: no processes, hardly a server. Stryker runs them once for
 * every mutant that they reach, so a second here is an hour there.
 */
export default defineConfig({
  resolve: { alias: [{ find: /^fast-check$/, replacement: `${root}test/mutation/few-runs.ts` }] },
  test: {
    root,
    include: [
      'test/unit/core/**/*.test.ts',
      'test/unit/{content-hash,events-page,normalised,person-name}.test.ts',
      'test/unit/{woocommerce,shopify,custom-store}/{golden,orders.mapper,lives,captured-lives}.test.ts',
      'test/unit/odoo/orders.mapper.test.ts',
      'test/unit/tryton/mappers.test.ts',
      'test/unit/parked/{redrive,refusals,repairs,words}.test.ts',
      'test/unit/cli/{adopt-words,orders-repair}.test.ts',
      'test/properties/{backoff,money,reconcile,sqs-batch,shopify-refunds,woocommerce-orders,custom-store-orders}.test.ts',
      'test/scenarios/{outlast-the-queue,rehearse}.test.ts',
    ],
    restoreMocks: true,
    sequence: { sequencer: QuickFirst },
    // One module graph for all files: three times as fast, and no test here keeps state in a module.
    isolate: false,
  },
});
