// Holds a report of `npm run simulate -- --stock --seeds 500 --json` against what is promised of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(report.seeds, 500, 'seeds');
assert.equal(report.violations, 0, 'violations');
assert.equal(report.oversoldPartitioned, 0, 'oversold, partitioned');
assert.ok(report.sold > 5_000, `more than 5,000 pieces sold, not ${report.sold}`);
assert.ok(report.oversoldShared <= report.boundShared, 'shared stays within its bound');
assert.ok(
  report.oversoldShared < report.oversoldSubtracting / 2,
  'shared is at least twice as good as subtracting',
);
assert.ok(report.oversoldSubtracting < report.oversoldNaive, 'subtracting is better than nothing');
