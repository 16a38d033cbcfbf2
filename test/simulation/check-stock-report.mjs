// Holds a report of `npm run simulate -- --stock --seeds 500 --json` against what is promised of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(report.seeds, 500, 'seeds');
assert.equal(report.violations, 0, 'violations');
assert.equal(report.oversoldPartitioned, 0, 'oversold where the stock is divided');
assert.ok(report.sold > 1_000, `more than 1,000 pieces sold, not ${report.sold}`);
assert.ok(
  report.oversoldShared <= report.boundShared,
  `${report.oversoldShared} is above ${report.boundShared}`,
);
// Otherwise the worlds are too kind to show anything.
assert.ok(report.oversoldNaive > report.oversoldShared, 'pushing what is polled oversells more');
