/**
 * How long a function takes to load, by how it is bundled: `node test/infra/measure-start.ts`. Prints the table of
 * shared/docs/decisions/0003. Each figure is the median of 25 new processes, interleaved; Lambda adds the start of its own
 * runtime, and has a third of a core where this machine has a whole one.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { BUNDLE } from '../../infra/constructs/bundle.ts';
import { ENV } from '../../shared/observability/names.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNS = 25;

const ENTRIES = {
  'ingest-webhook/woocommerce': { url: 'https://shop.acme.example', maxBodyBytes: 700_000 },
  'fetch-orders/woocommerce': { url: 'https://shop.acme.example' },
  'consume-orders/odoo': {
    connection: { url: 'https://erp.acme.example', database: 'acme' },
    routes: [],
  },
  'record-orders/index': { routes: {} },
};
const VARIANTS: Readonly<Record<string, esbuild.BuildOptions>> = {
  'SDK in the bundle, credentials from the environment (chosen)': {},
  'SDK in the bundle, whole credential chain': { alias: {} },
  'SDK left to the runtime': { external: ['@aws-sdk/*', '@smithy/*'] },
};

// Inside the project, so that what is left out of a bundle is found in node_modules.
mkdirSync(path.join(ROOT, '.waybill'), { recursive: true });
const directory = mkdtempSync(path.join(ROOT, '.waybill', 'measure-'));
try {
  const main = path.join(directory, 'main.mjs');
  writeFileSync(
    main,
    'const from = performance.now(); await import(process.argv[2]); console.log(performance.now() - from);',
  );
  const cases = Object.entries(ENTRIES).flatMap(([entry, settings]) =>
    Object.entries(VARIANTS).map(([variant, options], index) => {
      const outfile = path.join(directory, `${entry.replace('/', '-')}-${index}.mjs`);
      const entryPoints = [path.join(ROOT, 'functions', `${entry}.ts`)];
      const { metafile } = esbuild.buildSync({ ...BUNDLE, ...options, entryPoints, outfile, metafile: true });
      const [{ bytes } = { bytes: 0 }] = Object.values(metafile.outputs);
      const env = {
        ...Object.fromEntries(Object.values(ENV).map((name) => [name, '1'])),
        [ENV.settings]: JSON.stringify(settings),
        AWS_REGION: 'eu-central-1',
      };
      return { entry, variant, outfile, bytes, env, ms: [] as number[] };
    }),
  );
  for (let run = 0; run < RUNS; run++) {
    for (const { outfile, env, ms } of cases) {
      const { stdout, stderr } = spawnSync(process.execPath, [main, outfile], { env, encoding: 'utf8' });
      if (stdout === '') throw new Error(stderr);
      ms.push(Number(stdout));
    }
  }
  console.table(
    cases.map(({ entry, variant, bytes, ms }) => ({
      entry,
      variant,
      kB: Math.round(bytes / 1000),
      ms: Math.round(ms.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0),
    })),
  );
} finally {
  rmSync(directory, { recursive: true });
}
