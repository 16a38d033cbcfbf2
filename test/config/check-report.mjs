// Holds a report of `npm start -- --once --json` against what the README promises of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Storefront connectors, and the fewest orders of each that must have arrived; counted at every ERP. */
const STOREFRONTS = { woocommerce: 5, shopify: 5, 'custom-store': 6 };
const DIALECTS = ['JSON-2', 'JSON-RPC'];

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(report.duplicates, 0, 'duplicates');
assert.equal(report.failed, 0, 'failed');
assert.ok(report.ready_ms > 0, 'ready_ms');
assert.ok(report.repeated >= report.orders.length, 'every delivery was repeated');
for (const order of report.orders) {
  const name = `${order.storefront} ${order.orderId} in ${order.erp}`;
  assert.deepEqual(order.erpTotal, order.total, `${name}: the ERP's total is the shop's`);
  assert.ok(order.erpOrderId, `${name}: is in the ERP`);
  assert.ok(order.webhookToErpMs >= 0, `${name}: webhookToErpMs`);
  assert.ok(order.events.length >= 2, `${name}: its journey`);
}

const connections = new Map(report.connections.map((connection) => [connection.id, connection]));
for (const [connector, least] of Object.entries(STOREFRONTS)) {
  const orders = report.orders.filter((order) => connections.get(order.storefront)?.connector === connector);
  assert.ok(orders.length >= least, `${least} orders of ${connector}, not ${orders.length}`);
}
const spoken = report.connections.flatMap(({ dialects }) => dialects ?? []);
assert.deepEqual(spoken.toSorted(), DIALECTS, 'every dialect of the ERPs, each at an ERP of its own');
const erpsOf = new Map();
for (const { storefront, orderId, erp } of report.orders) {
  const key = `${storefront} ${orderId}`;
  erpsOf.set(key, [...(erpsOf.get(key) ?? []), erp]);
}
assert.ok(
  [...erpsOf.values()].some((erps) => new Set(erps).size > 1),
  'a shop that is routed to two ERPs',
);
assert.ok(report.ignored.length > 0, 'a test order that no ERP has');
assert.ok(report.stock.length > 0, 'stock flows to shops');
for (const { shop, sku, shows, available, unexplained } of report.stock) {
  assert.ok(shows <= available, `${shop} shows ${shows} of ${sku}, and there are ${available}`);
  assert.ok(shows >= available - unexplained, `${shop} shows only ${shows} of ${sku} of ${available}`);
}
