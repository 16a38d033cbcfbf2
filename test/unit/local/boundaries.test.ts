import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../../infra/local');
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const importsOf = (file: string) =>
  [...readFileSync(join(folder, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(
    ([, specifier]) => specifier ?? '',
  );

describe('the local stack knows nothing of what it runs', () => {
  it.each(files)('%s imports packages and its own folder only', (file) => {
    const allowed = (specifier: string) =>
      specifier.startsWith('./')
        ? files.includes(specifier.slice(2))
        : specifier.startsWith('node:')
          ? builtinModules.includes(specifier.slice(5)) || specifier === 'node:sqlite'
          : /^(@aws-sdk\/|croner$|fastify$|fauxqs$|zod$)/.test(specifier);
    expect(importsOf(file).filter((specifier) => !allowed(specifier))).toEqual([]);
  });
  it('sees imports at all', () => {
    expect(importsOf('index.ts')).toContain('./assembly.ts');
  });
});
