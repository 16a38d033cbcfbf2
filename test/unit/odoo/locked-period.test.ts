import { afterEach, describe, expect, it } from 'vitest';
import type { PeerDocument, RefundRequest } from '../../../shared/connectors/contract.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';
import type { OrderRefund } from '../../../shared/events/order-changed.ts';
import type { OrderRoute } from '../../../shared/settings/order-route.ts';
import { anOrder } from '../../fakes/orders.ts';
import { type Connected, connect } from './harness.ts';

let at: Connected;
afterEach(() => at.fake.stop());

const twd = (minor: number) => ({ minor, currency: 'TWD' });
/** NT$10 for no line in particular: no tax is in it. */
const UNTAXED: OrderRefund = { id: '77', total: twd(1000), refundedAt: '2026-10-15T08:00:00Z' };
const [tax] = anOrder().lines[0]?.taxes ?? [];
const TAXED: OrderRefund = {
  ...UNTAXED,
  total: twd(44100),
  lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: tax ? [{ ...tax, amount: twd(2100) }] : [] }],
};

/** The order is in an Odoo of that version, whose clock says 23 November 2026. */
const sold = async (
  version: 16 | 17 | 18 | 19,
  route: Partial<OrderRoute> = {},
  prepare: () => void = () => undefined,
) => {
  at = await connect({ version, nowMs: () => Date.parse('2026-11-23T12:00:00Z') }, { route });
  prepare();
  return (await at.push(anOrder())).completed;
};
const lock = (values: object, company = 1) => at.fake.call('res.company', 'write', [[company], values]);
const refundsOf = () => {
  if (!at.orders.changes) throw new Error('Odoo can change what it has written');
  return at.orders.changes.refunds;
};
const asked = async (document: PeerDocument, refund: OrderRefund) => {
  const order = anOrder({ refunds: [refund] });
  const parts = refundParts(order, refund);
  const reference = `acme-woo:1001/refund/${refund.id}`;
  const request: RefundRequest = { order, refund, parts, document, reference, route: at.route };
  return { request, wire: refundsOf().toWire(request, await at.orders.resolve(order, at.context)).value };
};
/** As `creditOnce` of the core does it. */
const credit = async (document: PeerDocument, refund: OrderRefund) => {
  const { request, wire } = await asked(document, refund);
  const found = await refundsOf().find(request, at.context);
  return refundsOf().complete(found ?? (await refundsOf().create(wire, at.context)), wire, at.context);
};
const notes = () =>
  at.fake.records('account.move').map(({ state, invoice_date, date }) => [state, invoice_date, date]);
const OCTOBER = '2026-10-31';

describe.each([
  [16, 'the lock of the fiscal year', { fiscalyear_lock_date: OCTOBER }, UNTAXED],
  [16, 'the lock for all but accountants', { period_lock_date: OCTOBER }, UNTAXED],
  [16, 'the lock of the tax return, and tax', { tax_lock_date: OCTOBER }, TAXED],
  [17, 'the lock of the fiscal year', { fiscalyear_lock_date: OCTOBER }, UNTAXED],
  [18, 'the lock of sales', { sale_lock_date: OCTOBER }, UNTAXED],
  [18, 'the latest of several locks', { sale_lock_date: OCTOBER, hard_lock_date: '2026-09-30' }, UNTAXED],
  [19, 'the hard lock', { hard_lock_date: OCTOBER }, UNTAXED],
  [19, 'the lock of the tax return, and tax', { tax_lock_date: OCTOBER }, TAXED],
] as const)('Odoo %i, %s', (version, _case, locks, refund) => {
  it('parks the refund and leaves nothing behind; opened, it is booked on its day', async () => {
    const document = await sold(version);
    lock(locks);
    await expect(credit(document, refund)).rejects.toMatchObject({
      code: 'PERIOD_LOCKED',
      params: {
        what: 'credit-note',
        day: '2026-10-15',
        openFrom: '2026-11-01',
        destination: 'acme-odoo',
      },
    });
    expect(notes()).toEqual([]);
    lock(Object.fromEntries(Object.keys(locks).map((name) => [name, false])));
    expect((await credit(document, refund)).warnings).toEqual([]);
    expect(notes()).toEqual([['posted', '2026-10-15', '2026-10-15']]);
  });

  it('books it on the first open day where the route says so, and says which', async () => {
    const document = await sold(version, { lockedPeriod: 'first-open-day' });
    lock(locks);
    expect((await credit(document, refund)).warnings).toEqual([
      'RINV/2026/00001 is booked on 2026-11-01, because the books were closed for 2026-10-15, or by hand.',
    ]);
    expect(notes()).toEqual([['posted', '2026-11-01', '2026-11-01']]);
  });
});

it.each([
  [16, 'the tax return is locked, and no tax is in it', { tax_lock_date: OCTOBER }],
  [19, 'the tax return is locked, and no tax is in it', { tax_lock_date: OCTOBER }],
  [17, 'the lock ends on the day before', { fiscalyear_lock_date: '2026-10-14' }],
  [18, 'nothing is locked', {}],
] as const)('Odoo %i: %s', async (version, _case, locks) => {
  const document = await sold(version);
  lock(locks);
  expect((await credit(document, UNTAXED)).warnings).toEqual([]);
  expect(notes()).toEqual([['posted', '2026-10-15', '2026-10-15']]);
});

it.each([17, 18] as const)('Odoo %i: the lock of a parent company holds for its branch', async (version) => {
  const document = await sold(version, {}, () => {
    const holding = { name: 'Holding', currency_id: 1, fiscalyear_lock_date: OCTOBER };
    const parent = at.fake.call('res.company', 'create', [holding]);
    const users = at.fake.records('res.users').map(({ id }) => id);
    at.fake.call('res.users', 'write', [users, { company_ids: [[6, 0, [1, parent]]] }]);
    lock({ parent_id: parent });
  });
  await expect(credit(document, UNTAXED)).rejects.toMatchObject({ code: 'PERIOD_LOCKED' });
});

it('locked after the draft was made: parked, and booked on the first open day once the route says so', async () => {
  const document = await sold(18);
  const { request, wire } = await asked(document, UNTAXED);
  const made = await refundsOf().create(wire, at.context);
  lock({ fiscalyear_lock_date: OCTOBER });
  const parked = refundsOf().complete(made, wire, at.context);
  await expect(parked).rejects.toMatchObject({ code: 'PERIOD_LOCKED' });
  expect(notes()).toEqual([['draft', '2026-10-15', '2026-10-15']]);
  const route = { ...at.route, lockedPeriod: 'first-open-day' } as const;
  const refs = await at.orders.resolve(request.order, at.context);
  const again = refundsOf().toWire({ ...request, route }, refs).value;
  const { warnings } = await refundsOf().complete(made, again, at.context);
  expect(warnings).toHaveLength(1);
  expect(notes()).toEqual([['posted', '2026-11-01', '2026-11-01']]);
});

it('what Odoo postpones by itself, because a lock is set at that moment, is told', async () => {
  const document = await sold(18);
  let isLocked = false;
  at.fake.server.fault({
    when: ({ body }) => {
      const isPost = String(body).includes('action_post');
      if (isPost && !isLocked) lock({ sale_lock_date: OCTOBER });
      isLocked ||= isPost;
      return false;
    },
    effect: { kind: 'drop-before' },
  });
  expect((await credit(document, UNTAXED)).warnings).toEqual([
    'RINV/2026/00001 is booked on 2026-11-23, because the books were closed for 2026-10-15, or by hand.',
  ]);
  expect(notes()).toEqual([['posted', '2026-10-15', '2026-11-23']]);
});

it('a refund of which the shop states no day is booked today, or parked', async () => {
  const document = await sold(18);
  const { refundedAt: _, ...undated } = UNTAXED;
  lock({ fiscalyear_lock_date: '2026-11-23' });
  await expect(credit(document, undated)).rejects.toMatchObject({
    params: { day: '2026-11-23', openFrom: '2026-11-24' },
  });
  lock({ fiscalyear_lock_date: OCTOBER });
  expect((await credit(document, undated)).warnings).toEqual([]);
  expect(notes()).toEqual([['posted', '2026-11-23', '2026-11-23']]);
});

it.each([
  ['park', '2026-10-15'],
  ['first-open-day', '2026-11-01'],
] as const)('a draft for the accountant, %s: dated %s', async (lockedPeriod, day) => {
  const document = await sold(18, { refunds: 'draft-credit-note', lockedPeriod });
  lock({ fiscalyear_lock_date: OCTOBER });
  await credit(document, UNTAXED);
  expect(notes()).toEqual([['draft', day, day]]);
});
