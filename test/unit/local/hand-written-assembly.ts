import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Resources = Record<
  string,
  { Type: string; Properties?: Record<string, unknown>; [key: string]: unknown }
>;
export interface HandWrittenStack {
  readonly resources: Resources;
  readonly outputs?: Record<string, unknown>;
  readonly dependsOn?: readonly string[];
  /** Other sections of the template. */
  readonly sections?: Record<string, unknown>;
  readonly environment?: string;
}

/** Writes a cloud assembly as `cdk synth` would, and gives its folder. Each handler becomes an asset `<key>.zip`. */
export const writeAssembly = (
  stacks: Record<string, HandWrittenStack>,
  handlers: Record<string, string> = {},
  extraArtifacts: Record<string, unknown> = {},
): string => {
  const directory = mkdtempSync(join(tmpdir(), 'assembly-'));
  const write = (name: string, value: unknown) => writeFileSync(join(directory, name), JSON.stringify(value));
  for (const [key, source] of Object.entries(handlers)) {
    mkdirSync(join(directory, `asset.${key}`));
    writeFileSync(join(directory, `asset.${key}`, 'index.mjs'), source);
  }
  write('assets.json', {
    version: '1',
    files: Object.fromEntries(
      Object.keys(handlers).map((key) => [
        key,
        {
          source: { path: `asset.${key}`, packaging: 'zip' },
          destinations: { here: { bucketName: 'assets', objectKey: `${key}.zip` } },
        },
      ]),
    ),
  });
  const artifacts: Record<string, unknown> = {
    assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
    ...extraArtifacts,
  };
  for (const [name, { resources, outputs, dependsOn = [], sections = {}, environment }] of Object.entries(
    stacks,
  )) {
    write(`${name}.template.json`, {
      Resources: resources,
      ...(outputs ? { Outputs: outputs } : {}),
      ...sections,
    });
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment: environment ?? 'aws://unknown-account/unknown-region',
      properties: { templateFile: `${name}.template.json` },
      dependencies: [...dependsOn, 'assets'],
    };
  }
  write('manifest.json', { version: '1', artifacts });
  return directory;
};

/** Properties of a function whose code is the asset `<key>.zip`. */
export const lambda = (key: string, more: Record<string, unknown> = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'assets', S3Key: `${key}.zip` },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    ...more,
  },
});
