import { expect, it } from 'vitest';
import type { StockRefusal } from '../../../../shared/connectors/stock-contract.ts';
import { aDesk, openDesk } from './shop-desk.ts';

const key = (sku: string) => ({ sku, location: 'default' });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => `S${n}`);
const all = (skus: readonly string[], pieces: number) => Object.fromEntries(skus.map((sku) => [sku, pieces]));
const BOTH = { north: ['TEA'], south: ['TEA'] };

it('a sale lowers the others at once, and its own shop is not written', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  expect([...desk.shown.values()]).toEqual([10, 10]);
  await desk.sells('north', 'TEA', 3);
  expect(desk.due).toEqual([expect.objectContaining({ destination: 'south', listings: [key('TEA')] })]);
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([7, 7]);
  expect(desk.batches.map(({ shop, writes }) => [shop, writes.map(({ from, to }) => [from, to])])).toEqual([
    ['south', [[10, 7]]],
  ]);
});

it('the same news again tells nobody anything', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  await desk.tells('north', 'TEA', 3);
  desk.shown.set('north TEA', 7);
  await desk.settle();
  await desk.tells('north', 'TEA', 3);
  expect(desk.due).toEqual([]);
});

it('divided: one is raised only when the other has acknowledged less', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 }, { policy: 'partitioned' });
  expect([...desk.shown.values()]).toEqual([5, 5]);
  // Nearly all of one is sold: what is left is divided anew.
  await desk.sells('north', 'TEA', 5);
  expect(desk.due.map(({ destination }) => destination)).toEqual(['south']);
  expect((await desk.write('north', [key('TEA')])).written).toBe(0);
  desk.due.length = 0;
  await desk.write('south', [key('TEA')]);
  expect([...desk.shown.values()]).toEqual([0, 2]);
  expect(desk.due.map(({ destination }) => destination)).toEqual(['north']);
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([3, 2]);
});

it('stale: what is missing is taken for sold, and left out of what is written', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  desk.shown.set('south TEA', 8); // two were sold, nobody has told
  await desk.sells('north', 'TEA', 1);
  const wrote = await desk.write('south', [key('TEA')]);
  expect(wrote).toMatchObject({ written: 1, stale: 1, againMs: 60_000 });
  expect(desk.shown.get('south TEA')).toBe(7);
  // It is told: the number was right, and is compared once more.
  await desk.tells('south', 'TEA', 2, '1002');
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([7, 7]);
});

it('stale: more than was believed is taken back', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  desk.shown.set('south TEA', 50);
  await desk.sells('north', 'TEA', 1);
  expect(await desk.write('south', [key('TEA')])).toMatchObject({ written: 1, stale: 1, againMs: undefined });
  expect(desk.shown.get('south TEA')).toBe(9);
});

it('a storm of 429: nothing is lost, and the hint of the shop is kept', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  await desk.sells('north', 'TEA', 1);
  desk.throttled = 3;
  for (let n = 0; n < 3; n += 1) {
    const wrote = await desk.write('south', [key('TEA')]);
    expect(wrote).toMatchObject({ written: 0, againMs: 4_000, failure: { code: 'THROTTLED' } });
  }
  expect(await desk.write('south', [key('TEA')])).toMatchObject({ written: 1, againMs: undefined });
  expect(desk.shown.get('south TEA')).toBe(9);
});

it('a storm of 429 in the middle of a whole shop: what is not begun is left for later', async () => {
  const skus = numbers(1_200);
  const desk = await openDesk({ north: skus }, all(skus, 10));
  await desk.levels(all(skus, 9));
  desk.throttled = 1;
  const keys = skus.map(key);
  expect(await desk.write('north', keys)).toMatchObject({ written: 0, againMs: 4_000 });
  expect(desk.batches.map(({ writes }) => writes.length)).toEqual([500]);
  expect(await desk.write('north', keys)).toMatchObject({ written: 1_200, againMs: undefined });
});

it.each<StockRefusal>(['REFUSED', 'UNKNOWN_LOCATION', 'TRACKING_OFF', 'NOT_MUTABLE', 'LISTING_GONE'])(
  'one of 250 is %s: the others are written, and it is not tried again',
  async (code) => {
    const skus = numbers(250);
    const desk = await openDesk({ north: skus, south: skus }, all(skus, 10));
    desk.bend = ({ sku, location }) =>
      sku === 'S7' ? { sku, location, kind: 'refused', code, detail: 'no' } : undefined;
    await desk.levels(all(skus, 8));
    const due = desk.due.find(({ destination }) => destination === 'south');
    const wrote = await desk.write('south', due?.listings ?? []);
    expect(wrote).toMatchObject({ written: 249, againMs: undefined, refused: [{ sku: 'S7', code }] });
    expect(skus.filter((sku) => desk.shown.get(`south ${sku}`) !== 8)).toEqual(['S7']);
    desk.batches.length = 0;
    await desk.levels(all(skus, 6));
    await desk.settle();
    expect(desk.batches.flatMap(({ shop, writes }) => (shop === 'south' ? writes : []))).toHaveLength(249);
    // Until the shop is listed again.
    desk.bend = undefined;
    await desk.learn('south');
    await desk.settle();
    expect(desk.shown.get('south S7')).toBe(6);
  },
);

it('divided: what cannot be written holds what it shows, the others share the rest', async () => {
  const desk = await openDesk({ ...BOTH, east: ['TEA'] }, { TEA: 9 }, { policy: 'partitioned' });
  expect([...desk.shown.values()]).toEqual([3, 3, 3]);
  desk.bend = () =>
    desk.batches.at(-1)?.shop === 'south'
      ? { sku: 'TEA', location: 'default', kind: 'refused', code: 'REFUSED', detail: 'no' }
      : undefined;
  await desk.levels({ TEA: 5 });
  await desk.settle();
  expect([...desk.shown.values()].reduce((sum: number, n) => sum + (n ?? 0), 0)).toBeLessThanOrEqual(5);
});

it('not answered: nobody writes it until it has settled, then the shop is asked', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  desk.bend = ({ sku, location }) => {
    desk.shown.set('south TEA', 9); // it was done all the same
    return { sku, location, kind: 'unknown', detail: 'time-out' };
  };
  await desk.sells('north', 'TEA', 1);
  expect(await desk.write('south', [key('TEA')])).toMatchObject({ unknown: 1, againMs: 60_000 });
  desk.bend = undefined;
  desk.batches.length = 0;
  await desk.sells('north', 'TEA', 1, '1002');
  const busy = await desk.write('south', [key('TEA')]);
  expect(busy.againMs).toBeGreaterThan(50_000);
  expect(desk.batches).toEqual([]);
  desk.wait(60_000);
  await desk.write('south', [key('TEA')]);
  // One piece may have been sold unseen meanwhile; an hour later it was not.
  expect(desk.shown.get('south TEA')).toBe(7);
  desk.wait(2 * 60 * 60_000);
  await desk.write('south', [key('TEA')]);
  expect(desk.shown.get('south TEA')).toBe(8);
});

it('a shop that cannot compare, divided: nothing first, and the rest when all its sales are known', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 }, { policy: 'partitioned' }, { south: 'reads-first' });
  await desk.levels({ TEA: 4 });
  await desk.settle();
  expect(desk.shown.get('south TEA')).toBe(0);
  desk.watermarkMs = desk.nowMs() + 60_000;
  desk.wait(120_000);
  await desk.write('south', [key('TEA')]);
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([2, 2]);
});

it('divided: two listings that are begun at once do not take the same pieces', async () => {
  const desk = aDesk({ north: ['TEA', 'TEA*1'], south: ['TEA'] }, { policy: 'partitioned' });
  await desk.learn('south');
  await desk.levels({ TEA: 10 });
  await desk.settle();
  expect(desk.shown.get('south TEA')).toBe(10);
  await desk.learn('north');
  await desk.levels({ TEA: 12 });
  // The south has not been lowered yet: two pieces are free.
  await desk.write('north', [key('TEA'), key('TEA*1')]);
  expect([...desk.shown.values()]).toEqual([2, 0, 10]);
});

it('a machine that was suspended before it sent sends nothing', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 });
  await desk.sells('north', 'TEA', 1);
  desk.putMs = 40_000;
  expect(await desk.write('south', [key('TEA')])).toMatchObject({ written: 0, againMs: 2_000 });
  expect(desk.batches).toEqual([]);
  desk.putMs = 0;
  expect(await desk.write('south', [key('TEA')])).toMatchObject({ written: 1 });
});

it('shadow: everything is worked out, nothing is written', async () => {
  const desk = await openDesk(BOTH, { TEA: 10 }, { mode: 'shadow' });
  expect([...desk.shown.values()]).toEqual([0, 0]);
  await desk.levels({ TEA: 9 });
  expect(desk.due).toHaveLength(2);
});

it('a pack of three shows a third', async () => {
  const desk = await openDesk({ north: ['TEA', 'TEA*3'], south: ['TEA'] }, { TEA: 10 });
  expect([...desk.shown.values()]).toEqual([10, 3, 10]);
  await desk.sells('north', 'TEA*3', 1);
  await desk.settle();
  expect([...desk.shown.values()]).toEqual([7, 2, 7]);
});

it('2,000 SKUs, 500 changed: told in one event, written in the batches of the shop; then nothing', async () => {
  const skus = numbers(2_000);
  const desk = await openDesk({ north: skus }, all(skus, 10));
  await desk.levels(all(skus.slice(0, 500), 9));
  expect(desk.due.map(({ listings }) => listings.length)).toEqual([500]);
  await desk.settle();
  expect(desk.batches.map(({ writes }) => writes.length)).toEqual([500]);
  await desk.levels(all(skus.slice(0, 500), 9));
  expect(desk.due).toEqual([]);
});

it('a flash sale: a thousand orders of one SKU are counted in a hundred writes', async () => {
  const desk = await openDesk(BOTH, { TEA: 5_000 });
  const before = [...desk.held.rows.values()][0]?.version ?? 0;
  for (let n = 0; n < 1_000; n += 10) {
    await desk.news(...Array.from({ length: 10 }, (_, one) => desk.order('north', 'TEA', 1, `o${n + one}`)));
  }
  const row = [...desk.held.rows.values()][0];
  expect((row?.version ?? 0) - before).toBe(100);
  desk.due.splice(0);
  await desk.write('south', [key('TEA')]);
  expect(desk.shown.get('south TEA')).toBe(4_000);
});
