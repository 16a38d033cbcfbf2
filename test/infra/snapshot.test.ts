import { expect, it } from 'vitest';
import { SANDBOX, synthesise } from './assembly.ts';

/** Shows change that nobody meant; what is meant stands in intent.test.ts and rules.test.ts. */
it('the sandbox, whole', () => {
  const templates = Object.fromEntries(synthesise(SANDBOX).map(({ name, template }) => [name, template]));
  // Functions change all the time; their content is not infrastructure.
  const masked = JSON.stringify(templates).replaceAll(/[0-9a-f]{64}\.zip/g, '<asset>.zip');
  expect(JSON.parse(masked)).toMatchSnapshot();
});
