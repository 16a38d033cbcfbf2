import { expect, it } from 'vitest';
import { claimId } from '../../../../shared/core/stock/rows.ts';
import { aDesk, openDesk } from './shop-desk.ts';

const BOTH = { north: ['TEA'], south: ['TEA'] };
const ids = (count: number) => Array.from({ length: count }, (_, n) => `S${n}`);

it('a shop that was never seen: what it shows is known, and what it should show is due', async () => {
  const desk = aDesk(BOTH);
  await desk.levels({ TEA: 7 });
  desk.shown.set('north TEA', 3);
  expect(await desk.learn('north')).toMatchObject({ listed: 1, managed: 1, refused: {}, due: 1 });
  const [row] = desk.held.rows.values();
  expect(row?.claims[claimId('north', 'default', 'TEA')]).toMatchObject({ bound: 3, want: 7, per: 1 });
  await desk.settle();
  expect(desk.shown.get('north TEA')).toBe(7);
});

it('before the ERP was read, nothing is due', async () => {
  const desk = aDesk(BOTH);
  desk.shown.set('north TEA', 3);
  expect(await desk.learn('north')).toMatchObject({ managed: 1, due: 0 });
});

it('what somebody changed in the shop is compared, and set right', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  desk.shown.set('south TEA', 25);
  expect(await desk.learn('south')).toMatchObject({ due: 1 });
  await desk.settle();
  expect(desk.shown.get('south TEA')).toBe(10);
});

it('a list that says what is known makes nothing due', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  expect(await desk.learn('south')).toMatchObject({ managed: 1, due: 0 });
});

it('what was written since the list was begun is our own echo', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  const id = claimId('south', 'default', 'TEA');
  const [row] = desk.held.rows.values();
  const claim = row?.claims[id];
  if (!row || !claim) throw new Error('no claim');
  // Written a moment after the list was asked for, which still shows 10.
  desk.held.rows.set(`${row.erp} TEA`, {
    ...row,
    claims: { ...row.claims, [id]: { ...claim, bound: 4, want: 4, wroteAtMs: desk.nowMs() } },
  });
  await desk.learn('south');
  expect(desk.held.rows.get(`${row.erp} TEA`)?.claims[id]).toMatchObject({ bound: 4 });
  expect(desk.held.rows.get(`${row.erp} TEA`)?.claims[id]?.unsure).toBeUndefined();
});

it('what the shop does not count is no share of anything, until it does', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 }, { policy: 'partitioned' });
  desk.shown.set('south TEA', undefined);
  expect(await desk.learn('south')).toMatchObject({ managed: 0, refused: { TRACKING_OFF: 1 } });
  await desk.settle();
  expect(desk.shown.get('north TEA')).toBe(10);
  desk.shown.set('south TEA', 0);
  await desk.learn('south');
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([5, 5]);
});

it('what the shop has no more leaves its pieces to the others', async () => {
  const shops = { north: ['TEA', 'MUG'], south: ['TEA', 'MUG'] };
  const desk = await openDesk(shops, { TEA: 10, MUG: 4 }, { policy: 'partitioned' });
  shops.south.splice(0, 1);
  desk.shown.delete('south TEA');
  expect(await desk.learn('south')).toMatchObject({ gone: 1, isShrunken: false });
  await desk.settle();
  expect(desk.shown.get('north TEA')).toBe(10);
});

it.each([
  ['nothing at all', 0, true],
  ['half of them', 50, true],
  ['a few less', 95, false],
])('a list of %s: are they taken as gone? shrunken %#', async (_what, left, isShrunken) => {
  const shops = { north: ids(100) };
  const desk = await openDesk(shops, {});
  shops.north.splice(left);
  expect(await desk.learn('north')).toMatchObject({ gone: 100 - left, isShrunken });
  const known = [...desk.held.listings.values()].filter(({ refused }) => refused === undefined);
  expect(known).toHaveLength(isShrunken ? 100 : left);
});

it('locations that settings do not name are left alone', async () => {
  const desk = aDesk(BOTH, { warehouses: { WH: { north: 'L9' } } });
  await desk.levels({ TEA: 7 });
  expect(await desk.learn('north')).toMatchObject({ listed: 1, managed: 0, due: 0 });
  expect(await desk.learn('south')).toMatchObject({ managed: 1, due: 1 });
});
