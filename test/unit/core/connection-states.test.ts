import { expect, it } from 'vitest';
import {
  type ConnectionStates,
  changeByHand,
  NEVER_CHANGED,
} from '../../../shared/core/connection-states.ts';

/** Somebody else is faster so many times. */
const states = (othersAreFaster: number) => {
  const written: unknown[] = [];
  let version = 0;
  return {
    written,
    states: {
      get: async (connection: string) => ({ ...NEVER_CHANGED, connection, version }),
      change: async (row: { version: number }, to: unknown) => {
        version += 1;
        if (version <= othersAreFaster) return false;
        written.push([row.version, to]);
        return true;
      },
    } as unknown as ConnectionStates,
  };
};
const byAnn = { state: 'paused', by: 'ann', why: 'stocktaking', atMs: 7 } as const;
const after = { state: 'paused', sinceMs: 7, by: 'ann', why: 'stocktaking', code: 'BY_HAND', probes: 0 };

it.each([0, 1, 4])('a person meets others %i times, and has the last word', async (othersAreFaster) => {
  const desk = states(othersAreFaster);
  expect(await changeByHand(desk.states, 'acme-odoo', byAnn)).toEqual({
    before: { ...NEVER_CHANGED, connection: 'acme-odoo', version: othersAreFaster },
    after,
  });
  expect(desk.written).toEqual([[othersAreFaster, after]]);
});

it('gives up before it fights for ever, and says so', async () => {
  const desk = states(5);
  await expect(changeByHand(desk.states, 'acme-odoo', byAnn)).rejects.toThrow(
    'acme-odoo is changed by others',
  );
  expect(desk.written).toEqual([]);
});
