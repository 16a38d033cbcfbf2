import { afterEach, expect, it } from 'vitest';
import type { PaymentRequest } from '../../../shared/connectors/contract.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { paymentReference } from '../../../shared/core/intent-key.ts';
import type { Booking } from '../../../shared/core/payments.ts';
import { anOrder } from '../../fakes/orders.ts';
import { type Connected, connect } from './harness.ts';

const OCTOBER = '2026-10-31';
const paid: Booking = {
  id: 'paid',
  direction: 'in',
  amount: { minor: 110198, currency: 'TWD' },
  method: 'stripe',
  reference: 'pi_1',
  fee: { minor: 300, currency: 'USD' },
  at: '2026-10-15T03:00:00Z',
};

let at: Connected;
afterEach(() => at.fake.stop());

const open = async (
  options: Parameters<typeof connect>[0] = {},
  route: object = {},
  rows: readonly (readonly ['journal', string, string])[] = [['journal', 'stripe', 'STRP']],
) => {
  at = await connect(options, { rows: [['tax', '1', '5%'], ...rows], route });
  const { completed: document } = await at.push(anOrder());
  const { payments } = at.orders;
  if (!payments) throw new Error('Odoo takes payments');
  const ask = async (payment: Booking, of = document.id) => {
    const reference = paymentReference('acme-woo', '1001', payment.id);
    const request: PaymentRequest = {
      ...{ order: anOrder(), payment, reference, route: at.route },
      document: { ...document, id: of },
    };
    return { request, mapped: payments.toWire(request, await payments.resolve(request, at.context)) };
  };
  const book = async (payment = paid) => {
    const { request, mapped } = await ask(payment);
    const made =
      (await payments.find(request, at.context)) ?? (await payments.create(mapped.value, at.context));
    return {
      made,
      warnings: mapped.warnings,
      completed: await payments.complete(made, mapped.value, at.context),
    };
  };
  return { payments, ask, book };
};
const held = () => at.fake.records('account.payment');
const lock = (values: object) => at.fake.call('res.company', 'write', [[1], values]);
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PermanentError ? [error.code, error.params] : error;
};

it.each([
  [16, 'ref', 'posted'],
  [17, 'ref', 'posted'],
  [18, 'memo', 'in_process'],
  [19, 'memo', 'in_process'],
] as const)(
  '%d: in the journal of its method, with %s; whole dollars, as the order',
  async (version, memo, state) => {
    const { book } = await open({ version });
    const { completed, warnings } = await book();
    expect(held()).toMatchObject([
      {
        journal_id: 1,
        partner_id: expect.any(Number),
        payment_type: 'inbound',
        amount: 1102,
        date: '2026-10-15',
        [memo]: 'acme-woo:1001/payment/paid | S00001 | fee 3.00 USD',
        payment_reference: 'pi_1',
        state,
      },
    ]);
    expect(completed).toMatchObject({ name: 'PSTRP/2026/00001', amount: { minor: 110200, currency: 'TWD' } });
    expect(warnings).toEqual(['Payment paid of 1101.98 TWD is booked as 1102.']);
  },
);

it('of the company whose contact the order is invoiced to', async () => {
  const { book } = await open();
  const [order] = at.fake.records('sale.order');
  const company = at.fake.call('res.partner', 'create', [{ name: 'Acme', is_company: true }]) as number;
  at.fake.call('res.partner', 'write', [
    [order?.['partner_invoice_id']],
    { parent_id: company, is_company: false },
  ]);
  await book();
  expect(held()).toMatchObject([{ partner_id: company }]);
});

it.each<[string, string, readonly [string, object] | number]>([
  ['by code', 'CSH1', 2],
  ['by name', 'Cash', 2],
  ['by id', 'id:1', 1],
  ['one for sales', 'INV', ['UNKNOWN_PAYMENT_JOURNAL', { to: 'INV' }]],
  ['one that is not there', 'id:99', ['UNKNOWN_PAYMENT_JOURNAL', { to: 'id:99' }]],
])('the journal, %s', async (_case, to, expected) => {
  const { book } = await open({}, {}, [['journal', 'stripe', to]]);
  const booked = await codeOf(book());
  if (typeof expected === 'number') expect(held()).toMatchObject([{ journal_id: expected }]);
  else expect(booked).toMatchObject(expected);
});

it('without a date: the day on which it is written', async () => {
  const { book } = await open();
  await book({ ...paid, at: undefined });
  expect(held()).toMatchObject([{ date: new Date().toISOString().slice(0, 10) }]);
});

it('whose order is gone, or which somebody cancelled: parked', async () => {
  const { payments, ask, book } = await open();
  const { made } = await book();
  const { mapped } = await ask(paid);
  at.fake.call('account.payment', 'write', [[Number(made.id)], { state: 'canceled' }]);
  expect(await codeOf(payments.complete(made, mapped.value, at.context))).toMatchObject([
    'ERP_DOCUMENT_GONE',
    {},
  ]);
  expect(await codeOf(ask(paid, '99'))).toMatchObject(['ERP_DOCUMENT_GONE', { document: 'S00001' }]);
});

it('changed by hand before it was posted: theirs, and said', async () => {
  const { payments, ask } = await open();
  const { mapped } = await ask(paid);
  const made = await payments.create(mapped.value, at.context);
  at.fake.call('account.payment', 'write', [[Number(made.id)], { amount: 1000 }]);
  expect(await payments.complete(made, mapped.value, at.context)).toMatchObject({
    amount: { minor: 100000, currency: 'TWD' },
    warnings: ['PSTRP/2026/00001 says 1000.00 TWD, the shop 1102.00 TWD.'],
  });
});

it.each([
  [17, { period_lock_date: OCTOBER }],
  [18, { fiscalyear_lock_date: OCTOBER }],
] as const)('%d, the books are closed: parked before it is written', async (version, values) => {
  const { book } = await open({ version });
  lock(values);
  expect(await codeOf(book())).toEqual([
    'PERIOD_LOCKED',
    { what: 'payment', day: '2026-10-15', openFrom: '2026-11-01', destination: 'acme-odoo' },
  ]);
  expect(held()).toEqual([]);
});

it('the books are closed for sales and taxes only: a payment is neither', async () => {
  const { book } = await open();
  lock({ sale_lock_date: OCTOBER, tax_lock_date: OCTOBER });
  await book();
  expect(held()).toMatchObject([{ date: '2026-10-15' }]);
});

it('the books are closed, and the route says the first open day, before or after it was written', async () => {
  const { payments, ask, book } = await open({}, { lockedPeriod: 'first-open-day' });
  const { mapped } = await ask({ ...paid, id: 'first' });
  const written = await payments.create(mapped.value, at.context);
  lock({ fiscalyear_lock_date: OCTOBER });
  const warning = 'The payment of 2026-10-15 is booked on 2026-11-01: the books were closed for its own day.';
  const { warnings } = await payments.complete(written, mapped.value, at.context);
  expect(warnings).toEqual([warning]);
  expect((await book()).completed.warnings).toEqual([warning]);
  expect(held().map(({ date }) => date)).toEqual(['2026-11-01', '2026-11-01']);
});
