import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../infra/build.ts';
import { settings } from '../../infra/settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'waybill-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** As the CDK CLI runs it. */
const run = (stage: string | undefined, outdir: string) =>
  spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(stage === undefined ? {} : { stage }),
    },
  });

describe('infra/app.ts', () => {
  it.each([
    [undefined, 'waybill-sandbox-core.template.json'],
    ['example', 'waybill-example-acme-odoo.template.json'],
  ])(
    'synthesises stage %s',
    (stage, template) => {
      const outdir = path.join(directory, stage ?? 'default');
      const { status, stderr } = run(stage, outdir);
      expect(stderr).not.toContain('Error');
      expect(status).toBe(0);
      expect(readdirSync(outdir)).toContain(template);
      // Every stack, validated by the CDK: a busy machine takes its time.
    },
    120_000,
  );

  it.each([
    ['exampel', /^infra\/stages: 1 problem\n {2}there is no stage "exampel"; did you mean "example"\?\n$/],
    ['production', /^infra\/stages: 1 problem\n {2}there is no stage "production"; known: .*sandbox.*\n$/],
    ['../settings', /^infra\/stages: 1 problem\n {2}there is no stage "\.\.\/settings"; .*\n$/],
  ])('says in one line that there is no stage %s', (stage, message) => {
    const { status, stderr } = run(stage, path.join(directory, 'none'));
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});

it.each([
  ['acme', 0.5, 1],
  ['acme', 1, 0],
  ['sandbox-e2e', 0.01, 0],
])('stage %s with a time scale of %d: %d errors, at which the CDK CLI stops', (name, timeScale, errors) => {
  const outdir = mkdtempSync(path.join(directory, 'scale-'));
  const stage = settings({
    name,
    timeScale,
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    connections: {},
  });
  const { stacks } = buildApp(stage, { outdir }).synth();
  const messages = stacks.flatMap((stack) => stack.messages).filter(({ level }) => level === 'error');
  expect(messages).toHaveLength(errors);
});
