import { expect, it } from 'vitest';
import { cursorBackwards, cursorTakenOver } from '../../../shared/core/cursors.ts';

it.each([
  [cursorTakenOver, 'FENCED'],
  [cursorBackwards, 'CURSOR_BACKWARDS'],
])('a refused save names the poll: %#', (refusal, code) => {
  expect(refusal('acme-woo/orders')).toMatchObject({ code, context: { intent: 'acme-woo/orders' } });
});
