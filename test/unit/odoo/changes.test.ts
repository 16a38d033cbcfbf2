import { afterEach, describe, expect, it } from 'vitest';
import type { PeerDocument, RefundRequest } from '../../../shared/connectors/contract.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';
import type { OrderChangedV1, OrderRefund } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';
import { type Connected, connect } from './harness.ts';

let at: Connected;
afterEach(() => at.fake.stop());

const VERSIONS = [16, 17, 18, 19] as const;
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => [
  { key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: twd(minor) },
];
const [tea, mug] = anOrder().lines as [OrderChangedV1['lines'][number], OrderChangedV1['lines'][number]];
const three = { ...tea, quantity: 3, subtotal: twd(126000), total: twd(126000), taxes: vat(6300) };

const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PermanentError ? [error.code, error.params] : error;
};

/** The order is in Odoo, at that level. */
const written = async (
  options: Parameters<typeof connect>[0] = {},
  level: 'draft' | 'confirm' = 'confirm',
  settings: Parameters<typeof connect>[1] = {},
) => {
  at = await connect(options, settings);
  const { completed } = await at.push(anOrder(), level);
  return completed;
};
const edit = async (
  document: PeerDocument & { fingerprint?: string | undefined },
  change: Partial<OrderChangedV1>,
  level: 'draft' | 'confirm' = 'confirm',
) => {
  const { value: wire } = await at.wireOf(anOrder(change));
  return at.orders.complete(document, wire, level, at.context, document.fingerprint);
};
const changesOf = () => {
  if (!at.orders.changes) throw new Error('Odoo can change what it has written');
  return at.orders.changes;
};
const order = (): Readonly<Record<string, unknown>> => at.fake.records('sale.order')[0] ?? {};
const quantities = () =>
  at.fake.records('sale.order.line').map((line) => [line['product_id'], line['product_uom_qty']]);
const set = (model: string, id: number, vals: object) => at.fake.call(model, 'write', [[id], vals]);

describe.each(VERSIONS)('Odoo %i', (version) => {
  it('edits a confirmed order in place: changed, added and removed lines, and its delivery', async () => {
    const document = await written({ version });
    const change = { lines: [three], charges: [], tax: twd(6300), total: twd(132300) };
    const edited = await edit(document, change);
    expect(edited).toMatchObject({ name: 'S00001', total: twd(132300) });
    // A confirmed order loses no line.
    expect(quantities()).toEqual([
      [1, 3],
      [2, 0],
      [3, 0],
    ]);
    expect(order()).toMatchObject({ state: 'sale', amount_total: 1323, date_order: '2026-11-21 22:55:57' });
    const moves = at.fake.records('stock.move').map((move) => move['product_uom_qty']);
    expect(moves).toEqual([3, 0]);

    const back = await edit(edited, {});
    expect(back.total).toEqual(twd(110200));
    expect(quantities()).toEqual([
      [1, 2],
      [2, 0],
      [3, 0],
      [2, 1],
      [3, 1],
    ]);
  });

  it('cancels a confirmed order and frees its stock, and does it once', async () => {
    const document = await written({ version });
    const { cancel } = changesOf();
    await cancel(document, document.fingerprint, at.route, at.context);
    expect(order()).toMatchObject({ state: 'cancel' });
    const [product] = at.fake.call('product.product', 'read', [[1]], { fields: ['free_qty'] }) as object[];
    expect(product).toMatchObject({ free_qty: 50 });
    await cancel(document, document.fingerprint, at.route, at.context);
    expect(order()).toMatchObject({ state: 'cancel' });
  });

  it('credits lines with their tax, once, under a reference of its own', async () => {
    const document = await written({ version });
    const refund: OrderRefund = {
      id: '77',
      reason: 'broken',
      total: twd(44100),
      refundedAt: '2026-11-25T08:00:00Z',
      lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: vat(2100) }],
    };
    const { request, note } = await credit(document, refund);
    expect(note).toMatchObject({ id: '1', total: twd(44100), warnings: [] });
    expect(at.fake.records('account.move')).toMatchObject([
      {
        move_type: 'out_refund',
        state: 'posted',
        ref: 'acme-woo:1001/refund/77',
        invoice_origin: 'S00001',
        invoice_date: '2026-11-25',
        amount_untaxed: 420,
        amount_tax: 21,
        amount_total: 441,
      },
    ]);
    expect(note.name).toBe('RINV/2026/00001');
    expect(await changesOf().refunds.find(request, at.context)).toMatchObject({ id: '1' });
  });
});

/** As `creditOnce` of the core does it. */
const credit = async (document: PeerDocument, refund: OrderRefund, change: Partial<OrderChangedV1> = {}) => {
  const { refunds } = changesOf();
  const refunded = anOrder({ refunds: [refund], ...change });
  const refs = await at.orders.resolve(refunded, at.context);
  const request: RefundRequest = {
    order: refunded,
    refund,
    parts: refundParts(refunded, refund),
    document,
    reference: `acme-woo:1001/refund/${refund.id}`,
    route: at.route,
  };
  const { value, warnings } = refunds.toWire(request, refs);
  expect(await refunds.find(request, at.context)).toBeUndefined();
  const made = await refunds.create(value, at.context);
  const note = await refunds.complete(made, value, at.context);
  return { request, warnings, made, value, note: { ...note } };
};

describe('an edit', () => {
  it('repeated after a lost answer writes nothing more', async () => {
    const document = await written();
    const note = { buyerNote: 'please ring twice' };
    const first = await edit(document, note);
    // A write would fail from now on.
    at.fake.server.fault({
      times: Number.POSITIVE_INFINITY,
      when: ({ body }) => /"(write|create|action_confirm)"/.test(String(body)),
      effect: { kind: 'answer', status: 503 },
    });
    const again = await edit(document, note);
    expect(again.fingerprint).toBe(first.fingerprint);
  });

  it('changes address and note, also of a draft', async () => {
    const document = await written({}, 'draft');
    const moved = { shipping: { ...anOrder().shipping, line1: '測試路二段 9 號' }, buyerNote: '請放管理室' };
    await edit(document, moved, 'draft');
    const shipping = at.fake.records('res.partner').find(({ id }) => id === order()['partner_shipping_id']);
    expect(shipping).toMatchObject({ street: '測試路二段 9 號' });
    expect(order()).toMatchObject({ state: 'draft', note: expect.stringContaining('請放管理室') });
  });

  it.each<[string, () => unknown]>([
    ['another quantity', () => set('sale.order.line', 1, { product_uom_qty: 5 })],
    ['another price', () => set('sale.order.line', 2, { price_unit: 100 })],
    ['a note', () => set('sale.order', 1, { note: '<p>by hand</p>' })],
    ['another address', () => set('sale.order', 1, { partner_shipping_id: 1 })],
  ])('loses against staff, who wrote %s', async (_case, byHand) => {
    const document = await written();
    byHand();
    const before = [order(), quantities()];
    expect(await codeOf(edit(document, { buyerNote: 'from the shop' }))).toMatchObject([
      'EDITED_IN_ERP',
      { document: 'S00001', destination: 'acme-odoo', shop: '1101.98 TWD' },
    ]);
    expect([order(), quantities()]).toEqual(before);
  });

  it('is no edit by staff: other markup around the same words', async () => {
    const document = await written({}, 'confirm');
    set('sale.order', 1, { note: '<p data-x="1">Payment:  stripe (pi_1)</p><p><br></p>' });
    await edit(document, { buyerNote: 'please ring twice' });
    expect(order()).toMatchObject({ note: expect.stringContaining('ring twice') });
  });

  it.each([
    ['delivered', { qty_delivered: 2 }],
    ['invoiced', { qty_invoiced: 2 }],
  ])('that takes away what was %s is refused', async (because, vals) => {
    const document = await written();
    set('sale.order.line', 1, vals);
    const change = { lines: [mug], tax: twd(1048), total: twd(21998) };
    expect(await codeOf(edit(document, change))).toEqual([
      'TOO_LATE_IN_ERP',
      { change: 'edited', document: 'S00001', destination: 'acme-odoo', because },
    ]);
    expect(quantities()[0]).toEqual([1, 2]);
  });

  it('that only adds to what was delivered is taken: the new lines of an exchange', async () => {
    const document = await written();
    set('sale.order.line', 1, { qty_delivered: 2 });
    const change = { lines: [three, mug], tax: twd(7348), total: twd(154298) };
    expect((await edit(document, change)).total).toEqual(twd(154300));
    expect(quantities()[0]).toEqual([1, 3]);
  });

  it('of a locked order is refused', async () => {
    const document = await written();
    set('sale.order', 1, { locked: true });
    expect(
      await codeOf(
        edit(document, { buyerNote: 'late', lines: [three, mug], tax: twd(7348), total: twd(154298) }),
      ),
    ).toMatchObject(['TOO_LATE_IN_ERP', { because: 'locked' }]);
  });
});

describe('a cancellation', () => {
  it.each([
    ['delivered', () => set('sale.order.line', 1, { qty_delivered: 1 })],
    ['invoiced', () => set('sale.order.line', 2, { qty_invoiced: 1 })],
    ['locked', () => set('sale.order', 1, { locked: true })],
  ])('of what is %s is refused', async (because, happens) => {
    const document = await written();
    happens();
    expect(await codeOf(changesOf().cancel(document, document.fingerprint, at.route, at.context))).toEqual([
      'TOO_LATE_IN_ERP',
      { change: 'cancelled', document: 'S00001', destination: 'acme-odoo', because },
    ]);
    expect(order()).toMatchObject({ state: 'sale' });
  });

  it('loses against staff', async () => {
    const document = await written();
    set('sale.order.line', 1, { product_uom_qty: 5 });
    const cancelled = changesOf().cancel(document, document.fingerprint, at.route, at.context);
    expect(await codeOf(cancelled)).toMatchObject(['EDITED_IN_ERP', { document: 'S00001' }]);
    expect(order()).toMatchObject({ state: 'sale' });
  });

  it('of an order that somebody deleted is done', async () => {
    const document = await written({}, 'draft');
    at.fake.call('sale.order', 'unlink', [[1]]);
    await changesOf().cancel(document, document.fingerprint, at.route, at.context);
  });
});

describe('a refund', () => {
  it('that names no line is credited as an amount, without tax, and says so', async () => {
    const document = await written();
    const { note, warnings } = await credit(document, { id: '78', reason: 'late', total: twd(10000) });
    expect(note.total).toEqual(twd(10000));
    expect(warnings).toEqual([
      'Refund 78 assigns part of its amount to no line: it is credited without tax.',
    ]);
    expect(at.fake.records('account.move.line')).toMatchObject([
      { product_id: 4, name: 'late', quantity: 1, price_unit: 100, tax_ids: [] },
    ]);
  });

  it('of shipping only, and less a fee that is kept back', async () => {
    const document = await written();
    await credit(document, {
      id: '79',
      total: twd(5000),
      charges: [{ chargeId: '3', total: twd(6000), taxes: vat(300) }],
    });
    expect(at.fake.records('account.move')).toMatchObject([{ amount_total: 50 }]);
    expect(at.fake.records('account.move.line').map((line) => line['price_unit'])).toEqual([60, -13]);
  });

  it('stays a draft where an accountant posts', async () => {
    const document = await written({}, 'confirm', { route: { refunds: 'draft-credit-note' } });
    const { note } = await credit(document, { id: '80', total: twd(10000) });
    expect(note.name).toBeUndefined();
    expect(at.fake.records('account.move')).toMatchObject([{ state: 'draft', amount_total: 100 }]);
  });

  it('completed again changes nothing', async () => {
    const document = await written();
    const { made, value } = await credit(document, { id: '81', total: twd(10000) });
    expect(await changesOf().refunds.complete(made, value, at.context)).toMatchObject({
      name: 'RINV/2026/00001',
      total: twd(10000),
    });
    expect(at.fake.records('account.move')).toHaveLength(1);
  });
});
