import { afterEach, expect, it } from 'vitest';
import type { PaymentRequest } from '../../../shared/connectors/contract.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { paymentReference } from '../../../shared/core/intent-key.ts';
import type { Booking } from '../../../shared/core/payments.ts';
import { anOrder } from '../../fakes/orders.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';
import { connectTo, type Row } from './harness.ts';

let fake: FakeTryton;
afterEach(() => fake.stop());

const paid: Booking = {
  id: 'paid',
  direction: 'in',
  amount: { minor: 110198, currency: 'TWD' },
  method: 'stripe',
  reference: 'pi_1',
  fee: { minor: 300, currency: 'USD' },
  // In Taipei it is the 24th by then.
  at: '2026-11-23T17:00:00Z',
};

const sold = async (route: object = {}, rows: readonly Row[] = [['journal', 'stripe', 'Stripe']]) => {
  fake = await startFakeTryton({ today: '2026-11-23' });
  const secrets = [{ login: FAKE.login, password: FAKE.password }];
  const all: Row[] = [['tax', '1', '5%'], ...rows];
  const shop = connectTo({ url: fake.url, database: FAKE.database, secrets, route, rows: all });
  const { completed: document } = await shop.push(anOrder());
  const { payments } = shop.orders;
  if (!payments) throw new Error('Tryton takes payments');
  const ask = async (payment: Booking, of = document.id) => {
    const reference = paymentReference('acme-woo', '1001', payment.id);
    const request: PaymentRequest = {
      ...{ order: anOrder(), payment, reference, route: shop.route },
      document: { ...document, id: of },
    };
    const refs = await payments.resolve(request, shop.context);
    return { request, wire: payments.toWire(request, refs).value };
  };
  const book = async (payment = paid) => {
    const { wire } = await ask(payment);
    return payments.complete(await payments.create(wire, shop.context), wire, shop.context);
  };
  return { payments, context: shop.context, ask, book, document };
};
const moves = () => fake.records('account.move');
const lines = () =>
  fake.records('account.move.line').map((line) => ({
    account: line['account'],
    party: line['party'],
    debit: (line['debit'] as { decimal: string }).decimal,
    credit: (line['credit'] as { decimal: string }).decimal,
    second: (line['amount_second_currency'] as { decimal: string } | undefined)?.decimal,
  }));
const change = (model: string, values: object) => fake.call(`model.${model}.write`, [[1], values]);
const date = (month: number, day: number) => ({ __class__: 'date', year: 2026, month, day });
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PermanentError ? [error.code, error.params] : error;
};
const [CASH, RECEIVABLE] = [1, 2];

it('money against the receivable of whoever the sale is invoiced to, by the day of the company', async () => {
  const { book, document } = await sold();
  const party = fake.records('sale.sale')[0]?.['party'];
  expect(await book()).toMatchObject({ name: '1', amount: { minor: 110198, currency: 'TWD' }, warnings: [] });
  expect(moves()).toMatchObject([
    {
      state: 'posted',
      journal: 2,
      date: date(11, 24),
      description: `acme-woo:1001/payment/paid | ${document.name} | pi_1 | fee 3.00 USD`,
    },
  ]);
  expect(lines()).toEqual([
    { account: CASH, party: undefined, debit: '1101.98', credit: '0', second: undefined },
    { account: RECEIVABLE, party, debit: '0', credit: '1101.98', second: undefined },
  ]);
});

it('what went back, the other way round; the account and the invoice party of the sale', async () => {
  const { book } = await sold();
  fake.call('model.account.account.create', [[{ name: 'Own', party_required: true }]]);
  const [other] = fake.call('model.party.party.create', [
    [{ name: 'Payer', account_receivable: 3 }],
  ]) as number[];
  change('sale.sale', { invoice_party: other });
  await book({ ...paid, id: 'refund 7', direction: 'out' });
  expect(lines()).toMatchObject([
    { account: CASH, debit: '0', credit: '1101.98' },
    { account: 3, party: other, debit: '1101.98', credit: '0' },
  ]);
});

it('in another currency than the company’s: both amounts', async () => {
  const { book } = await sold();
  const completed = await book({ ...paid, amount: { minor: 3300, currency: 'EUR' } });
  expect(completed.amount).toEqual({ minor: 3300, currency: 'EUR' });
  expect(lines().map(({ second }) => second)).toEqual(['33', '-33']);
});

it.each<[string, () => void, string, readonly [string, object]]>([
  [
    'no receivable account is configured',
    () => change('account.configuration', { default_account_receivable: null }),
    'stripe',
    ['ERP_REFUSED', { operation: { what: 'create-payment' } }],
  ],
  ['the payment method is not there', () => undefined, 'gone', ['UNKNOWN_PAYMENT_JOURNAL', { to: 'id:99' }]],
])('%s: parked, nothing is written', async (_case, prepare, method, expected) => {
  const { book } = await sold({}, [
    ['journal', 'stripe', 'id:1'],
    ['journal', 'gone', 'id:99'],
  ]);
  prepare();
  expect(await codeOf(book({ ...paid, method }))).toMatchObject(expected);
  expect(moves()).toEqual([]);
});

it('the sale is gone, or the move: parked', async () => {
  const { payments, context, ask } = await sold();
  expect(await codeOf(ask(paid, '99'))).toMatchObject(['ERP_DOCUMENT_GONE', {}]);
  const { wire } = await ask(paid);
  expect(await codeOf(payments.complete({ id: '9' }, wire, context))).toMatchObject([
    'ERP_DOCUMENT_GONE',
    {},
  ]);
});

it('no period is open for its day: parked, or on the first open day', async () => {
  const october = { ...paid, at: '2026-10-15T03:00:00Z' };
  const parked = await sold();
  expect(await codeOf(parked.book(october))).toEqual([
    'PERIOD_LOCKED',
    { what: 'payment', day: '2026-10-15', openFrom: '2026-11-01', destination: 'acme-tryton' },
  ]);
  expect(moves()).toEqual([]);
  await fake.stop();
  const { book } = await sold({ lockedPeriod: 'first-open-day' });
  expect((await book(october)).warnings).toEqual([
    'The payment of 2026-10-15 is booked on 2026-11-01: the books were closed for its own day.',
  ]);
  expect(moves()).toMatchObject([{ date: date(11, 1), period: 1 }]);
});

it('without a date: the day of Tryton’s clock; changed by hand before it was posted: theirs, and said', async () => {
  const { payments, context, ask } = await sold();
  const { wire } = await ask({ ...paid, at: undefined });
  const made = await payments.create(wire, context);
  expect(moves()).toMatchObject([{ date: date(11, 23), state: 'draft' }]);
  fake.call('model.account.move.line.write', [[2], { credit: { __class__: 'Decimal', decimal: '1000' } }]);
  expect(await payments.complete(made, wire, context)).toMatchObject({
    amount: { minor: 100000, currency: 'TWD' },
    warnings: ['1 says 1000.00 TWD, the shop 1101.98 TWD.'],
  });
});
