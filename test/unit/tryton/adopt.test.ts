import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ErpCandidate, ErpOrders } from '../../../shared/connectors/contract.ts';
import { buyerMarks } from '../../../shared/core/buyer-marks.ts';
import { anOrder } from '../../fakes/orders.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';
import { connectTo } from './harness.ts';

let fake: FakeTryton;
let shop: ReturnType<typeof connectTo>;
beforeEach(async () => {
  fake = await startFakeTryton();
  const secrets = [{ login: FAKE.login, password: FAKE.password }];
  shop = connectTo({ url: fake.url, database: FAKE.database, secrets });
});
afterEach(() => fake.stop());

const adoption = () => {
  const { adoption: found } = shop.orders as ErpOrders;
  if (!found) throw new Error('Tryton adopts');
  return found;
};
const day = (date: number) => ({ __class__: 'date', year: 2026, month: 11, day: date });
const line = {
  type: 'line',
  product: 1,
  unit: 1,
  quantity: 2,
  unit_price: { __class__: 'Decimal', decimal: '420' },
};
const entered = (values: object = {}): number => {
  const address = { street: 'Rue 5', party_name: '王小明' };
  const mail = { type: 'email', value: 'Ming.Wang@example.test' };
  const [party] = fake.call('model.party.party.create', [
    [{ name: 'Siam BV', addresses: [['create', [address]]], contact_mechanisms: [['create', [mail]]] }],
  ]) as number[];
  const sale = { party, shipment_address: 1, currency: 1, sale_date: day(22), lines: [['create', [line]]] };
  return (fake.call('model.sale.sale.create', [[{ ...sale, ...values }]]) as number[])[0] ?? 0;
};
const listed = async (from = '2026-11-21T00:00:00Z', until = '2026-11-24T00:00:00Z') => {
  const window = { fromMs: Date.parse(from), untilMs: Date.parse(until) };
  const found: ErpCandidate[] = [];
  for await (const page of adoption().candidates(window, shop.route, shop.context)) found.push(...page);
  return found;
};

it('lists what people entered: date, total, what they noted, who bought', async () => {
  const id = entered({ reference: 'Web 1001', description: 'by phone' });
  expect(await listed()).toEqual([
    {
      document: { id: String(id), name: undefined, url: `${fake.url}/#acme/model/sale.sale/${id}` },
      datedAtMs: Date.parse('2026-11-22T12:00:00Z'),
      total: { minor: 84000, currency: 'TWD' },
      stepMinor: 1,
      state: 'draft',
      reference: 'Web 1001',
      mentions: ['Web 1001', 'by phone'],
      buyer: buyerMarks({ emails: ['ming.wang@example.test'], phones: [], names: ['Siam BV', '王小明'] }),
    },
  ]);
});

it('by date, drafts without one by the day they were made, and no returns', async () => {
  entered({ sale_date: day(20) });
  entered({ sale_date: day(25) });
  const undated = entered({ sale_date: null });
  const dated = entered();
  entered({ origin: `sale.sale,${dated}` });
  expect((await listed()).map(({ document }) => Number(document.id))).toEqual([undated, dated]);
});

it('page by page, and none twice', async () => {
  for (let n = 0; n < 201; n += 1) entered();
  const ids = (await listed()).map(({ document }) => document.id);
  expect(new Set(ids).size).toBe(201);
  expect(ids).toHaveLength(201);
});

it('an adopted sale is found by our reference, and keeps what was noted there', async () => {
  const id = entered({ reference: 'Web 1001', description: 'by phone' });
  const order = anOrder();
  const reference = shop.reference(order);
  const first = await adoption().adopt({ id: String(id) }, reference, shop.route, shop.context);
  expect(first).toMatchObject({ id: String(id), state: 'draft' });
  expect(fake.records('sale.sale')).toMatchObject([{ reference, description: 'by phone, Web 1001' }]);
  expect(await adoption().adopt({ id: String(id) }, reference, shop.route, shop.context)).toEqual(first);
  expect(fake.records('sale.sale')).toMatchObject([{ description: 'by phone, Web 1001' }]);
  expect(await shop.orders.find(reference, shop.route, shop.context)).toMatchObject({ id: String(id) });
  // As it was left: a cancellation in the shop applies to it.
  await shop.changes().cancel({ id: String(id) }, first.fingerprint, shop.route, shop.context);
  expect(fake.records('sale.sale')).toMatchObject([{ state: 'cancelled' }]);
});

it('without a reference nothing is written; what is gone parks', async () => {
  const id = entered({ reference: 'Web 1001' });
  await adoption().adopt({ id: String(id) }, undefined, shop.route, shop.context);
  expect(fake.records('sale.sale')).toMatchObject([{ reference: 'Web 1001', description: null }]);
  await expect(adoption().adopt({ id: '99' }, undefined, shop.route, shop.context)).rejects.toMatchObject({
    code: 'ERP_DOCUMENT_GONE',
  });
});

it('compares what people entered with what would have been written', async () => {
  const { wire, document } = await shop.push(anOrder(), 'draft');
  const compared = () => adoption().compare(document, wire, shop.route, shop.context);
  expect(await compared()).toEqual([]);
  const [tea, mug, shipping] = fake.records('sale.line');
  fake.call('model.sale.line.write', [[tea?.id], { quantity: 3, taxes: [['add', [2]]] }]);
  fake.call('model.sale.line.write', [[mug?.id], { product: 3, description: 'T-shirt' }]);
  fake.call('model.sale.line.write', [
    [shipping?.id],
    { unit_price: { __class__: 'Decimal', decimal: '60.01' } },
  ]);
  expect(await compared()).toEqual([
    { what: 'quantity', line: '高山烏龍茶 Oolong 150g', ours: '2', theirs: '3' },
    { what: 'amount', line: '高山烏龍茶 Oolong 150g', ours: '840', theirs: '1260' },
    { what: 'taxes', line: '高山烏龍茶 Oolong 150g', ours: '5%', theirs: '8%' },
    { what: 'line-missing', line: 'แก้วเซรามิก “Siam”', ours: '1 for 149.5', theirs: '' },
    { what: 'line-surplus', line: 'T-shirt', ours: '', theirs: '1 for 149.5' },
    { what: 'total', ours: '1101.98', theirs: '1580.79' },
  ]);
  await expect(adoption().compare({ id: '99' }, wire, shop.route, shop.context)).rejects.toMatchObject({
    code: 'ERP_DOCUMENT_GONE',
  });
});
