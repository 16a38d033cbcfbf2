// Holds a result of `npm run chaos -- --json` against what infra/docs/chaos.md promises of it.
// node check-chaos.mjs RESULT ORDERS COPIES [--kill] [--outage S]
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [file, orders, copies, ...more] = process.argv.slice(2);
const result = JSON.parse(readFileSync(file, 'utf8'));
const { orders: played, deliveries, accepted, inErp, lost, duplicated, wrongAmount, parked } = result;
assert.deepEqual(
  { played, deliveries, accepted, inErp, lost, duplicated, wrongAmount, parked },
  {
    played: Number(orders),
    deliveries: orders * copies,
    accepted: orders * copies,
    inErp: Number(orders),
    lost: 0,
    duplicated: 0,
    wrongAmount: 0,
    parked: 0,
  },
);
assert.equal(result.customersDuplicated, 0, 'customersDuplicated');
assert.equal(result.quarantined, 0, 'quarantined');
// A run in which nothing went wrong has shown nothing.
assert.ok(result.unavailable >= orders / 4, `only ${result.unavailable} times 503`);
assert.ok(result.droppedAfterWrite >= 1, 'no answer was dropped after a write');
assert.ok(result.seconds > 0, 'seconds');
if (more.includes('--kill')) {
  assert.ok(result.killed > result.runnersKilled, 'no function process was killed');
  assert.ok(result.runnersKilled >= 1, 'the runner was not killed');
}
if (more.includes('--outage')) assert.ok(result.outageSeconds > 0, 'outageSeconds');
