/**
 * The quick suites that judge `shared/core` and the mappers: no processes and hardly a server, for Stryker runs them
 * for every mutant that they reach.
 */
export const SUITES: readonly string[] = [
  'test/unit/core/**/*.test.ts',
  'test/unit/{content-hash,events-page,normalised,person-name}.test.ts',
  'test/unit/{woocommerce,shopify,custom-store}/{golden,orders.mapper,lives,captured-lives}.test.ts',
  'test/unit/connectors/*.test.ts',
  'test/unit/odoo/{orders,refunds}.mapper.test.ts',
  'test/unit/tryton/mappers.test.ts',
  'test/unit/parked/{redrive,refusals,repairs,words}.test.ts',
  'test/unit/cli/{adopt-words,orders-repair}.test.ts',
  'test/properties/{backoff,money,reconcile,sqs-batch,shopify-refunds,woocommerce-orders,custom-store-orders}.test.ts',
  'test/scenarios/outlast-the-queue.test.ts',
  'test/mutation/lives.ts',
];
