import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as esbuild from 'esbuild';

/** How every function is bundled. Figures behind the choices: shared/docs/decisions/0003. */
export const BUNDLE = {
  bundle: true,
  minify: true,
  // Errors are logged by their names, and there is no source map to read a trace with.
  keepNames: true,
  treeShaking: true,
  sourcemap: false,
  legalComments: 'none',
  // Otherwise every Chinese character of a reason is six bytes, not three.
  charset: 'utf8',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // The SDK's main entry is CommonJS, which cannot be shaken.
  mainFields: ['module', 'main'],
  alias: {
    '@aws-sdk/credential-provider-node': fileURLToPath(new URL('./lambda-credentials.ts', import.meta.url)),
  },
  // CommonJS packages inside an ES module still ask for `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
  logLevel: 'warning',
} as const satisfies esbuild.BuildOptions;

const bundles = new Map<string, Uint8Array>();

/** Minified ES module of an entry that exports `handler`; made once, however many connections use it. */
export const bundle = (entry: string): Uint8Array => {
  bundleAhead([entry]);
  const made = bundles.get(entry);
  if (made === undefined) throw new Error(`${entry} makes no bundle`);
  return made;
};

/**
 * Make several bundles together. The bytes are those of one after the other; but what they share is read once, and
 * esbuild is started once: eight take a tenth of the time.
 */
export const bundleAhead = (entries: readonly string[]): void => {
  const missing = [...new Set(entries)].filter((entry) => !bundles.has(entry));
  if (missing.length === 0) return;
  const { outputFiles } = esbuild.buildSync({
    ...BUNDLE,
    entryPoints: Object.fromEntries(missing.map((entry, index) => [index, entry])),
    outdir: path.sep,
    write: false,
  });
  for (const { path: file, contents } of outputFiles) {
    const entry = missing[Number(path.parse(file).name)];
    if (entry !== undefined) bundles.set(entry, contents);
  }
};

/**
 * Hands `use` the code of an entry, as `index.mjs`; the construct that `use` makes copies it into the assembly. Not CDK's
 * own bundling: that writes a line per function to the terminal, and here a laptop's start would show them.
 */
export const withCode = <T>(entry: string, use: (code: lambda.Code) => T): T => {
  const directory = mkdtempSync(path.join(tmpdir(), 'waybill-bundle-'));
  try {
    writeFileSync(path.join(directory, 'index.mjs'), bundle(entry));
    return use(lambda.Code.fromAsset(directory));
  } finally {
    rmSync(directory, { recursive: true });
  }
};
