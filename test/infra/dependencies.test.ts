import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';

/**
 * Who may import whom. Types count like values: what may be named is what may be known. Paths are from the project's
 * root; the first layer whose pattern fits a file is its layer.
 */
interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** Files of this project. `$1` is what the first group of `files` caught. */
  readonly may: readonly string[];
  /** Packages and built-in modules. @default all */
  readonly packages?: { readonly only?: RegExp; readonly not?: RegExp };
}

const DESCRIPTIONS = [
  'shared/events/.*',
  'shared/settings/.*',
  'shared/connectors/manifests?\\.ts',
  'shared/connectors/[^/]+/manifest\\.ts',
  'shared/observability/names\\.ts',
];

const LAYERS: readonly Layer[] = [
  {
    name: 'a manifest',
    files: /^shared\/connectors\/[^/]+\/manifest\.ts$/,
    may: ['shared/connectors/manifest\\.ts'],
    packages: { only: /^zod$/ },
  },
  {
    name: 'the form of manifests',
    files: /^shared\/connectors\/manifest\.ts$/,
    may: [],
    packages: { only: /^zod$/ },
  },
  {
    name: 'a connector',
    files: /^shared\/connectors\/([^/]+)\/.*$/,
    may: [
      'shared/connectors/$1/.*',
      'shared/connectors/(contract|stock-contract|stock-products|manifest|normalised|order-parts|shop-listings|shop-writes)\\.ts',
      'shared/(core|events|http|settings)/.*',
    ],
    packages: { not: /^(@aws-sdk|@smithy|aws-cdk-lib)\b/ },
  },
  {
    name: 'the core',
    files: /^shared\/core\/.*$/,
    may: [
      'shared/(core|events|settings|observability)/.*',
      'shared/connectors/(contract|stock-contract|manifest)\\.ts',
    ],
    packages: {
      not: /^((@aws-sdk|@smithy|aws-cdk-lib|fastify|undici|axios|got)\b|(node:)?(http|https|http2|net|tls|dgram)$)/,
    },
  },
  { name: 'shared', files: /^shared\/.*$/, may: ['shared/.*'], packages: { not: /^aws-cdk-lib\b/ } },
  {
    name: 'a function',
    files: /^functions\/([^/]+)\/.*$/,
    may: ['functions/$1/.*', 'shared/.*'],
    packages: { not: /^aws-cdk-lib\b/ },
  },
  { name: 'the local stack', files: /^infra\/local\/.*$/, may: ['infra/local/.*'] },
  {
    name: 'the command line',
    files: /^infra\/cli\/.*$/,
    may: ['infra/.*', 'shared/.*', 'test/fakes/.*', 'package\\.json'],
  },
  {
    name: 'what functions are bundled with',
    files: /^infra\/constructs\/lambda-credentials\.ts$/,
    may: [],
    packages: { only: /^@aws-sdk\/credential-provider-env$/ },
  },
  {
    name: 'infrastructure',
    files: /^infra\/.*$/,
    may: ['infra/[^/]+\\.ts', 'infra/(stages|stacks|constructs|monitoring)/.*', ...DESCRIPTIONS],
    // Building templates calls nobody.
    packages: { not: /^(@aws-sdk|@smithy)\b/ },
  },
];

/** @returns what is wrong with `file` importing `specifier`, or undefined */
const violation = (file: string, specifier: string): string | undefined => {
  const layer = LAYERS.find(({ files }) => files.test(file));
  if (layer === undefined) return `${file} belongs to no layer`;
  const refusal = `${file}: ${layer.name} may not import ${specifier}`;
  if (!specifier.startsWith('.')) {
    const { only, not } = layer.packages ?? {};
    return (only !== undefined && !only.test(specifier)) || not?.test(specifier) ? refusal : undefined;
  }
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
  const own = layer.files.exec(file)?.[1] ?? '';
  return layer.may.some((pattern) => new RegExp(`^${pattern.replace('$1', own)}$`).test(target))
    ? undefined
    : refusal;
};

/** Every module that a file names: static, dynamic, re-exported, type only, `import('…').Type`. */
const importsOf = (source: string): string[] => {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, source: from } = node as { type?: string; source?: { value?: unknown } | null };
    if (type !== undefined && IMPORTING.has(type) && typeof from?.value === 'string') found.push(from.value);
    for (const child of Object.values(node)) visit(child); // of an array, too
  };
  visit(parseAst(source, { lang: 'ts' }).body);
  return found;
};
const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'ImportExpression',
  'TSImportType',
]);

it('finds every way to import', () => {
  expect(
    importsOf(`
      import a, { type B } from './a.ts';
      import type { C } from './c.ts';
      import './d.ts';
      export { e } from './e.ts';
      export * from './f.ts';
      type G = import('./g.ts').G;
      const load = async () => { if (a) return await import('./h.ts'); };
      export const text = "import x from './no.ts'"; // import y from './no.ts'
    `),
  ).toEqual(['./a.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts', './h.ts']);
});

describe('the rule', () => {
  it.each([
    ['functions/consume-orders/odoo.ts', '../../shared/connectors/odoo/index.ts'],
    ['functions/consume-orders/odoo.ts', './compose.ts'],
    ['infra/stacks/core-stack.ts', '../../shared/observability/names.ts'],
    ['infra/settings.ts', '../shared/connectors/manifests.ts'],
    ['infra/settings.ts', '../shared/connectors/odoo/manifest.ts'],
    ['infra/cli/start.ts', '../../test/fakes/odoo.ts'],
    ['infra/cli/start.ts', '../local/run.ts'],
    ['shared/connectors/odoo/client.ts', '../../http/fetch-json.ts'],
    ['shared/connectors/odoo/client.ts', '../contract.ts'],
    ['shared/core/push-order.ts', '../connectors/contract.ts'],
    ['shared/connectors/odoo/manifest.ts', 'zod'],
    ['shared/aws/clients.ts', '@aws-sdk/client-sqs'],
  ])('allows %s to import %s', (file, specifier) => {
    expect(violation(file, specifier)).toBeUndefined();
  });

  it.each([
    ['functions/consume-orders/odoo.ts', '../ingest-webhook/compose.ts'],
    ['functions/consume-orders/odoo.ts', '../../infra/settings.ts'],
    ['functions/consume-orders/odoo.ts', '../../test/fakes/odoo.ts'],
    ['infra/stacks/core-stack.ts', '../../shared/core/money.ts'],
    ['infra/stacks/core-stack.ts', '../../shared/observability/wide-event.ts'],
    ['infra/stacks/core-stack.ts', '../../functions/record-orders/env.ts'],
    ['infra/stacks/core-stack.ts', '../cli/start.ts'],
    ['infra/build.ts', './local/run.ts'],
    ['infra/settings.ts', '../shared/connectors/odoo/client.ts'],
    ['infra/settings.ts', '@aws-sdk/client-sqs'],
    ['infra/local/run.ts', '../settings.ts'],
    ['infra/local/run.ts', '../../shared/core/money.ts'],
    ['infra/cli/start.ts', '../../test/unit/x.ts'],
    ['shared/core/push-order.ts', '@aws-sdk/client-dynamodb'],
    ['shared/core/push-order.ts', 'node:https'],
    ['shared/core/push-order.ts', '../http/fetch-json.ts'],
    ['shared/core/push-order.ts', '../aws/clients.ts'],
    ['shared/core/push-order.ts', '../connectors/odoo/client.ts'],
    ['shared/http/signature.ts', '../../infra/settings.ts'],
    ['shared/http/signature.ts', '../../functions/consume-orders/env.ts'],
    ['shared/http/signature.ts', '../../test/fakes/x.ts'],
    ['shared/connectors/odoo/client.ts', '../woocommerce/wire.ts'],
    ['shared/connectors/odoo/client.ts', '../manifests.ts'],
    ['shared/connectors/odoo/client.ts', '../../aws/clients.ts'],
    ['shared/connectors/odoo/manifest.ts', './client.ts'],
    ['shared/connectors/odoo/manifest.ts', '../../core/money.ts'],
    ['shared/connectors/odoo/manifest.ts', 'big.js'],
  ])('refuses %s to import %s', (file, specifier) => {
    expect(violation(file, specifier)).toContain(`may not import ${specifier}`);
  });
});

it('is kept by every file', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const files = globSync('{functions,infra,shared}/**/*.ts', { cwd: root });
  expect(files.length).toBeGreaterThan(40);
  const violations = files.flatMap((file) =>
    importsOf(readFileSync(path.join(root, file), 'utf8')).flatMap(
      (specifier) => violation(file, specifier) ?? [],
    ),
  );
  expect(violations).toEqual([]);
});
