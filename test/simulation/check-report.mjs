// Holds a report of `npm run simulate -- --seeds 20000 --json` against what is promised of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(report.seeds, 20_000, 'seeds');
assert.equal(report.violations, 0, 'violations');
for (const kind of [
  'crashes',
  'lostAnswers',
  'lateWrites',
  'stalls',
  'foundByReconciliation',
  'staffEdits',
  'tooLate',
]) {
  assert.ok(report[kind] > 1_000, `more than 1,000 ${kind}, not ${report[kind]}`);
}
assert.ok(report.seconds < 300, `within five minutes, not ${report.seconds} s`);
