// Holds a report of `npm start -- --once --json` against what the README promises of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(report.duplicates, 0, 'duplicates');
assert.equal(report.failed, 0, 'failed');
assert.ok(report.orders.length >= 4, 'several orders');
assert.ok(report.ready_ms > 0, 'ready_ms');
for (const order of report.orders) {
  const name = `${order.storefront} ${order.orderId}`;
  assert.deepEqual(order.erpTotal, order.total, `${name}: the ERP's total is the shop's`);
  assert.ok(order.erpOrderId, `${name}: is in the ERP`);
  assert.ok(order.webhookToErpMs >= 0, `${name}: webhookToErpMs`);
  assert.ok(order.events.length >= 2, `${name}: its journey`);
}
