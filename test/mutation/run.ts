import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import { isSurvivor, type MutationReport, scoreOf, survivorsOf, survivorsPage } from './survivors.ts';

const CONFIG = 'test/mutation/stryker.config.json';
const REPORT = '.stryker/report.json';
const INCREMENTAL = '.stryker/incremental.json';

/**
 * `npm run mutation [-- --mutate FILE,FILE] [--concurrency N] [--force]`: plants one fault at a time and asks whether a
 * test sees it. What was measured before is kept (`.stryker/incremental.json`), so the whole may be run in parts.
 * Exits with 1 below the threshold, or if a mutant survived for which no reason is written down.
 */
const { values } = parseArgs({
  options: {
    mutate: { type: 'string', short: 'm' },
    concurrency: { type: 'string' },
    force: { type: 'boolean' },
    report: { type: 'boolean' },
  },
});

const globs = values.mutate?.split(',').map((pattern) => pattern.replace(/:\d.*$/, '')) ?? ['**'];
const isInPart = (file: string): boolean =>
  globs.some((glob) => matchesGlob(file, glob)) &&
  !globs.some((glob) => glob.startsWith('!') && matchesGlob(file, glob.slice(1)));

const stryker = (): number => {
  const args = ['run', CONFIG];
  if (values.mutate) args.push('--mutate', values.mutate);
  if (values.concurrency) args.push('--concurrency', values.concurrency);
  if (values.force) args.push('--force');
  return spawnSync('stryker', args, { stdio: 'inherit' }).status ?? 1;
};

/** Of a constant nobody knows which tests reach it, so Stryker would never try again what survived there. */
const forgetConstants = (): void => {
  if (!existsSync(INCREMENTAL)) return;
  const measured = JSON.parse(readFileSync(INCREMENTAL, 'utf8')) as MutationReport;
  const files = Object.entries(measured.files).map(([file, { mutants, ...rest }]) => {
    const kept = mutants.filter((mutant) => !(isInPart(file) && mutant.static && isSurvivor(mutant)));
    return [file, { ...rest, mutants: kept }];
  });
  writeFileSync(INCREMENTAL, JSON.stringify({ ...measured, files: Object.fromEntries(files) }));
};

if (!values.report) forgetConstants();
const status = values.report ? 0 : stryker();
if (!existsSync(REPORT)) process.exit(status || 1);
const report = JSON.parse(readFileSync(REPORT, 'utf8')) as MutationReport;
const part = Object.keys(report.files).filter(isInPart);

const unexplained = survivorsOf(report).filter(({ file, why }) => !why && part.includes(file));
for (const { file, line, mutator, before, after } of unexplained) {
  process.stdout.write(`survived, no reason written: ${file}:${line} ${mutator}\n- ${before}\n+ ${after}\n`);
}
if (!values.mutate) writeFileSync('test/mutation/survivors.md', survivorsPage(report));
const { score, detected, total } = scoreOf(report, part);
process.stdout.write(
  `mutation score ${score.toFixed(1)} %: ${detected} of ${total} noticed in ${part.length} files, ${unexplained.length} survivors without a reason\n`,
);
process.exitCode = status || (unexplained.length > 0 ? 1 : 0);
