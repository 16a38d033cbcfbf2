import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { LocalStackError } from './local-stack-error.ts';

/** One resource as the template states it, properties unresolved. */
export const TemplateResource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Metadata: z.unknown().optional(),
});
export type TemplateResource = z.infer<typeof TemplateResource>;

/** Transforms, hooks and nested stacks are not here: a template that has them is refused by name. */
export const Template = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z.record(z.string(), z.looseObject({ Default: z.unknown().optional() })).optional(),
  /** Assertions about parameters (the bootstrap version): there is nothing to assert here. */
  Rules: z.unknown().optional(),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).optional(),
  Conditions: z.record(z.string(), z.unknown()).optional(),
  Resources: z.record(z.string(), TemplateResource),
  Outputs: z
    .record(
      z.string(),
      z.strictObject({
        Value: z.unknown(),
        Description: z.unknown().optional(),
        Export: z.strictObject({ Name: z.unknown() }).optional(),
        Condition: z.string().optional(),
      }),
    )
    .optional(),
});
export type Template = z.infer<typeof Template>;

const Manifest = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      environment: z.string().optional(),
      properties: z.looseObject({}).optional(),
      dependencies: z.array(z.string()).optional(),
      displayName: z.string().optional(),
    }),
  ),
});
const AssetManifest = z.looseObject({
  files: z
    .record(
      z.string(),
      z.looseObject({
        source: z.looseObject({ path: z.string().optional(), packaging: z.string().optional() }),
        destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
      }),
    )
    .optional(),
  dockerImages: z.record(z.string(), z.unknown()).optional(),
});

/** Artifacts that describe the assembly itself. */
const DESCRIPTIVE = new Set(['cdk:tree', 'cdk:feature-flag-report', 'cdk:asset-manifest']);

export interface AssemblyStack {
  readonly name: string;
  readonly template: Template;
  /** Absent when the stack is agnostic of its region. */
  readonly region?: string;
}
export interface Assembly {
  /** In the order in which they would be deployed. */
  readonly stacks: readonly AssemblyStack[];
  /** Object key in the bootstrap bucket -> folder or file on this machine. */
  readonly assets: ReadonlyMap<string, string>;
}

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new LocalStackError([`cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`]);
  }
};
const parse = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new LocalStackError(
    result.error.issues.map((issue) => `${what}: ${issue.path.map(String).join('.')} ${issue.message}`),
  );
};

/**
 * Reads a synthesised CDK cloud assembly (the folder with manifest.json).
 * @throws LocalStackError a file is missing, or an artifact, section or resource attribute is of a kind not known here
 */
export const readAssembly = (directory: string): Assembly => {
  const path = resolve(directory);
  const { artifacts } = parse(Manifest, readJson(join(path, 'manifest.json')), 'manifest.json');
  const assets = new Map<string, string>();
  const stacks: AssemblyStack[] = [];
  const done = new Set<string>();

  const visit = (id: string) => {
    const artifact = artifacts[id];
    if (!artifact || done.has(id)) return;
    done.add(id);
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    if (artifact.type === 'aws:cloudformation:stack') {
      const { templateFile, stackName } = artifact.properties ?? {};
      const region = artifact.environment?.split('/').at(-1);
      const template = parse(Template, readJson(join(path, String(templateFile))), String(templateFile));
      stacks.push({
        name: typeof stackName === 'string' ? stackName : id,
        template,
        ...(region && region !== 'unknown-region' ? { region } : {}),
      });
    } else if (artifact.type === 'cdk:asset-manifest') {
      const file = String(artifact.properties?.['file']);
      const manifest = parse(AssetManifest, readJson(join(path, file)), file);
      if (Object.keys(manifest.dockerImages ?? {}).length > 0)
        throw new LocalStackError([`${file}: container image assets are not run here`]);
      for (const { source, destinations } of Object.values(manifest.files ?? {}))
        for (const { objectKey } of Object.values(destinations))
          if (source.path) assets.set(objectKey, resolve(path, source.path));
    } else if (!DESCRIPTIVE.has(artifact.type)) {
      throw new LocalStackError([`manifest.json: artifact ${id} of type ${artifact.type} is not known here`]);
    }
  };
  for (const id of Object.keys(artifacts)) visit(id);
  if (stacks.length === 0) throw new LocalStackError([`${path} holds no stack`]);
  return { stacks, assets };
};
