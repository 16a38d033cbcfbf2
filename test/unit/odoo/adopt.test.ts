import { afterEach, describe, expect, it } from 'vitest';
import type { ErpAdoption, ErpCandidate, PeerDocument } from '../../../shared/connectors/contract.ts';
import { matchOrders } from '../../../shared/core/adopt.ts';
import { anOrder } from '../../fakes/orders.ts';
import { type Connected, connect } from './harness.ts';

let at: Connected;
afterEach(() => at.fake.stop());

const NOW = Date.parse('2026-11-22T08:00:00Z');
const WINDOW = { fromMs: Date.parse('2026-11-20T00:00:00Z'), untilMs: Date.parse('2026-11-30T00:00:00Z') };
const open = async (
  options: Parameters<typeof connect>[0] = {},
  settings: Parameters<typeof connect>[1] = {},
) => {
  at = await connect({ nowMs: () => NOW, ...options }, settings);
};
const adoption = (): ErpAdoption => {
  if (!at.orders.adoption) throw new Error('Odoo can tell what people entered');
  return at.orders.adoption;
};
const listed = async (window = WINDOW): Promise<ErpCandidate[]> => {
  const all: ErpCandidate[] = [];
  for await (const page of adoption().candidates(window, at.route, at.context)) all.push(...page);
  return all;
};
const create = (model: string, vals: object): number => Number(at.fake.call(model, 'create', [vals]));
/** `anOrder()` as somebody typed it in. */
const typeIn = (vals: object = {}, version = 18): number => {
  const partner_id = create('res.partner', {
    name: '王小明',
    email: 'Ming.Wang@example.test',
    phone: '+886 2 5550 0000',
  });
  const tax = { [version >= 19 ? 'tax_ids' : 'tax_id']: [[6, 0, [1]]] };
  const line = (product_id: number, product_uom_qty: number, price_unit: number) => [
    0,
    0,
    { product_id, product_uom_qty, price_unit, ...tax },
  ];
  return create('sale.order', {
    partner_id,
    date_order: '2026-11-22 07:00:00',
    order_line: [line(1, 2, 420), line(2, 1, 149.5), line(3, 1, 60)],
    ...vals,
  });
};
const order = (id: number) => at.fake.records('sale.order').find((row) => row.id === id) ?? {};

describe.each([16, 17, 18, 19] as const)('Odoo %i', (version) => {
  it('tells what people entered, and nobody can read who the buyer is', async () => {
    await open({ version });
    typeIn({ client_order_ref: '#1001', origin: 'by phone' }, version);
    const [candidate] = await listed();
    expect(candidate).toMatchObject({
      document: { id: '1', name: 'S00001', url: `${at.fake.url}/web#id=1&model=sale.order&view_type=form` },
      datedAtMs: Date.parse('2026-11-22T07:00:00Z'),
      total: { minor: 110200, currency: 'TWD' },
      stepMinor: 100,
      state: 'draft',
      reference: '#1001',
      mentions: ['#1001', 'by phone'],
    });
    expect(candidate?.buyer).toHaveLength(3);
    expect(candidate?.buyer.every((mark) => /^[0-9a-f]{16}$/.test(mark))).toBe(true);
  });

  it('what it tells fits the order of the shop, by number and without', async () => {
    await open({ version });
    const id = typeIn({}, version);
    const by = async () => matchOrders([anOrder()], await listed(), { route: at.route, days: 7 });
    expect(await by()).toMatchObject([
      { kind: 'certain', by: 'buyer', candidate: { document: { id: '1' } } },
    ]);
    at.fake.call('sale.order', 'write', [[id], { origin: 'Web/1001' }]);
    expect(await by()).toMatchObject([{ kind: 'certain', by: 'number' }]);
  });

  it('adopts with one write; what people had noted is kept, and it is found from then on', async () => {
    await open({ version });
    const id = typeIn({ client_order_ref: '#1001', origin: 'by phone', note: 'ring twice' }, version);
    at.fake.call('sale.order', 'action_confirm', [[id]]);
    const before = { ...order(id) };
    const [candidate] = await listed();
    const document = candidate?.document as PeerDocument;
    const adopt = () => adoption().adopt(document, 'acme-woo:1001', at.route, at.context);

    const adopted = await adopt();
    expect(adopted).toMatchObject({ id: '1', name: 'S00001', state: 'confirmed' });
    expect(order(id)).toEqual({
      ...before,
      write_date: expect.anything(),
      client_order_ref: 'acme-woo:1001',
      origin: 'by phone, #1001',
    });
    expect(await at.orders.find('acme-woo:1001', at.route, at.context)).toMatchObject({ id: '1' });
    const once = { ...order(id) };
    expect(await adopt()).toEqual(adopted);
    expect(order(id)).toEqual(once);
  });

  it('its edits are applied, as long as people leave it as it was adopted', async () => {
    await open({ version });
    const id = typeIn({}, version);
    at.fake.call('sale.order', 'action_confirm', [[id]]);
    const [candidate] = await listed();
    const document = candidate?.document as PeerDocument;
    const { fingerprint } = await adoption().adopt(document, 'acme-woo:1001', at.route, at.context);
    const { value: wire } = await at.wireOf(anOrder({ buyerNote: 'ring twice' }));
    const change = () => at.orders.complete(document, wire, 'confirm', at.context, fingerprint);

    const line = at.fake.records('sale.order.line')[0]?.id;
    at.fake.call('sale.order.line', 'write', [[line], { product_uom_qty: 9 }]);
    await expect(change()).rejects.toMatchObject({ code: 'EDITED_IN_ERP' });
    at.fake.call('sale.order.line', 'write', [[line], { product_uom_qty: 2 }]);
    expect(await change()).toMatchObject({ name: 'S00001', total: { minor: 110200, currency: 'TWD' } });
  });
});

it('without a reference nothing is written', async () => {
  await open();
  const id = typeIn({ client_order_ref: '#1001' });
  const before = { ...order(id) };
  await adoption().adopt({ id: String(id) }, undefined, at.route, at.context);
  expect(order(id)).toEqual(before);
});

it('one that was deleted meanwhile is said to be gone', async () => {
  await open();
  await expect(
    adoption().adopt({ id: '7', name: 'S00007' }, 'acme-woo:1', at.route, at.context),
  ).rejects.toMatchObject({
    code: 'ERP_DOCUMENT_GONE',
    params: { document: 'S00007' },
  });
});

it.each([
  ['draft', 'draft'],
  ['sent', 'draft'],
  ['sale', 'confirmed'],
  ['done', 'confirmed'],
  ['cancel', 'cancelled'],
  ['to approve', 'draft'],
])('an order in state %s is %s', async (state, expected) => {
  await open();
  typeIn({ state });
  expect(await listed()).toMatchObject([{ state: expected }]);
});

it('only what is dated in the window, its end not counted', async () => {
  await open();
  for (const date_order of [
    '2026-11-19 23:59:59',
    '2026-11-20 00:00:00',
    '2026-11-29 23:59:59',
    '2026-11-30 00:00:00',
  ]) {
    typeIn({ date_order });
  }
  expect((await listed()).map(({ document }) => document.id)).toEqual(['2', '3']);
});

it('all of them, page by page', async () => {
  await open();
  const partner_id = create('res.partner', { name: 'By hand' });
  for (let i = 0; i < 401; i += 1) create('sale.order', { partner_id });
  const ids = (await listed()).map(({ document }) => Number(document.id));
  expect(ids).toEqual(Array.from({ length: 401 }, (_, i) => i + 1));
});

it('only of the company that the route names', async () => {
  const companies = [
    { name: 'Acme Taiwan', currency: 'TWD', country: 'TW' },
    { name: 'Acme Japan', currency: 'JPY', country: 'JP' },
  ];
  await open({ companies }, { route: { company: 'Acme Japan' } });
  typeIn();
  const [other] = at.fake.records('res.company').filter(({ name }) => name === 'Acme Japan');
  const call = { context: { allowed_company_ids: [other?.id] } };
  at.fake.call('sale.order', 'create', [{ partner_id: 1, company_id: other?.id }], call);
  expect((await listed()).map(({ document }) => document.id)).toEqual(['2']);
});
