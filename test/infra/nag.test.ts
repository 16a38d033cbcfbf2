import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, it } from 'vitest';
import { buildApp } from '../../infra/build.ts';
import { TWENTY } from './assembly.ts';

/** Findings of AWS's own rule pack that we live with: where, and why. */
const ACCEPTED: Readonly<Record<string, { readonly where: RegExp; readonly because: string }>> = {
  'AwsSolutions-SQS3': {
    where: /\/Quarantine\/Queue\/Resource$/,
    because: 'raw deliveries for people; no function reads it, so nothing can fail and be moved on',
  },
  'AwsSolutions-SMG4': {
    where: /\/Credentials\/Secret\/Resource$/,
    because: 'peers issue these credentials; none lets them be rotated from here',
  },
  'AwsSolutions-APIG4': {
    where: /\/Webhook\/Route\/Resource$/,
    because: 'storefronts sign each delivery; the function verifies the signature over the raw bytes',
  },
};

it('AwsSolutions finds nothing but what is accepted, and every acceptance is still needed', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'waybill-test-'));
  try {
    const app = buildApp(TWENTY, { outdir });
    app.synth();
    // cdk-nag reads the construct tree, which the declared type of the context does not have yet.
    const context = { appConstruct: app, templatePaths: [], stackTemplates: [] };
    const { violations } = new AwsSolutionsChecks(app).validate(context);
    const findings = violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => ({ ruleName, constructPath })),
    );
    const unexpected = findings.filter(
      ({ ruleName, constructPath }) => !ACCEPTED[ruleName]?.where.test(constructPath),
    );
    expect(unexpected).toEqual([]);
    expect([...new Set(findings.map(({ ruleName }) => ruleName))].sort()).toEqual(
      Object.keys(ACCEPTED).sort(),
    );
  } finally {
    rmSync(outdir, { recursive: true });
  }
  // Twenty connections are some thousand resources, each asked by a hundred rules.
}, 180_000);
