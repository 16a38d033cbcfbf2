import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { eventsPage } from '../../shared/events/document.ts';

it('shared/docs/events.md says what the catalogue says (npm run docs writes it)', async () => {
  const page = await readFile(new URL('../../shared/docs/events.md', import.meta.url), 'utf8');
  expect(page).toBe(eventsPage());
});
