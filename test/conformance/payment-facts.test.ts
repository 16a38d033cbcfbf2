import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoPaymentFacts, dynamoPaymentRecords } from '../../shared/aws/dynamo-payment-facts.ts';
import type { PaymentFacts, PaymentFactsStore } from '../../shared/core/payment-facts.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { OrderHint } from '../../shared/settings/payment-route.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { memoryPaymentFacts } from '../fakes/memory-payment-facts.ts';
import { anOrder } from '../fakes/orders.ts';

let tables: DynamoTables;
beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

const NOW_MS = 1_764_000_000_000;
const stores: Readonly<Record<string, () => Promise<PaymentFactsStore>>> = {
  memory: async () => memoryPaymentFacts(),
  DynamoDB: async () => {
    const name = await tables.create();
    const args = [tables.client, name, () => NOW_MS] as const;
    return { ...dynamoPaymentRecords(...args), ...dynamoPaymentFacts(...args) };
  },
};

const facts = (over: Partial<PaymentFacts> = {}): PaymentFacts => ({
  source: 'acme-stripe',
  paymentId: 'pi_1',
  references: ['pi_1', 'ch_1'],
  livemode: true,
  captured: [],
  refunds: [],
  asOfMs: 1_000,
  ...over,
});
const order = (over: Partial<OrderChangedV1> = {}, reference?: string) => {
  const made = anOrder({ source: 'acme-woo', orderId: '17', orderNumber: '1001', ...over });
  return { ...made, payment: { ...made.payment, reference } };
};
const provider = (hint: OrderHint = 'either', source = 'acme-stripe') => [{ source, hint }];

describe.each(Object.entries(stores))('in %s', (_, make) => {
  let store: PaymentFactsStore;
  beforeEach(async () => {
    store = await make();
  });
  const tell = async (told: PaymentFacts) => {
    await store.put(told);
    return store.ordersOf(told);
  };
  const ask = (asking: OrderChangedV1, providers = provider()) => store.of(providers, 'acme-odoo', asking);
  const WOO_17 = { destination: 'acme-odoo', source: 'acme-woo', orderId: '17' };

  it('finds facts that came first', async () => {
    expect(await tell(facts())).toEqual([]);
    expect(await ask(order({}, 'ch_1'))).toEqual([facts()]);
  });

  it('finds the order that asked first, and then tells it', async () => {
    expect(await ask(order({}, 'pi_1'))).toEqual([]);
    expect(await tell(facts())).toEqual([WOO_17]);
    expect(await ask(order({}, 'pi_1'))).toEqual([facts()]);
  });

  it('tells one order under every name and at every ERP once', async () => {
    await ask(order({}, 'pi_1'));
    await store.of(provider(), 'acme-tryton', order({}, 'ch_1'));
    const told = await tell(facts({ orderHint: '1001' }));
    expect(told.toSorted((a, b) => (a.destination < b.destination ? -1 : 1))).toEqual([
      WOO_17,
      { ...WOO_17, destination: 'acme-tryton' },
    ]);
  });

  it.each<[OrderHint, string, boolean]>([
    ['either', '17', true],
    ['either', '1001', true],
    ['id', '17', true],
    ['id', '1001', false],
    ['number', '17', false],
    ['number', '1001', true],
    ['none', '17', false],
    ['none', '1001', false],
  ])('%s: a payment that says %s is of that order: %s', async (hint, orderHint, isOurs) => {
    const told = facts({ orderHint });
    await tell(told);
    expect(await ask(order(), provider(hint))).toEqual(isOurs ? [told] : []);
    expect(await store.ordersOf(told)).toEqual(isOurs ? [WOO_17] : []);
  });

  it('takes an order number for no reference', async () => {
    await tell(facts({ references: ['1001'] }));
    expect(await ask(order())).toEqual([]);
  });

  it('keeps providers apart', async () => {
    await tell(facts());
    expect(await ask(order({}, 'ch_1'), provider('either', 'acme-paypal'))).toEqual([]);
    const both = [...provider(), ...provider('either', 'acme-paypal')];
    expect(await ask(order({}, 'ch_1'), both)).toEqual([facts()]);
  });

  it('finds several payments of one order: by what each capture states, and by what each payment says', async () => {
    const deposit = facts();
    const rest = facts({ paymentId: 'pi_2', references: ['pi_2'], orderHint: '1001' });
    await tell(rest);
    await tell(deposit);
    const amount = { minor: 100, currency: 'EUR' };
    const captures = [{ id: 'dep', amount, method: 'stripe', reference: 'ch_1' }];
    expect(await ask(order({ payments: captures }))).toEqual([deposit, rest]);
    expect(
      await ask(order({ payments: [{ id: 'pi_2', amount, method: 'stripe' }] }), provider('none')),
    ).toEqual([rest]);
  });

  it('keeps what the provider said last', async () => {
    expect(await store.put(facts({ asOfMs: 2_000 }))).toBe('kept');
    expect(await store.put(facts({ asOfMs: 1_000, livemode: false }))).toBe('older');
    expect(await store.put(facts({ asOfMs: 2_000, livemode: false }))).toBe('older');
    await store.ordersOf(facts());
    expect(await ask(order({}, 'pi_1'))).toEqual([facts({ asOfMs: 2_000 })]);
    expect(await store.put(facts({ asOfMs: 3_000, disputed: true }))).toBe('kept');
    expect(await ask(order({}, 'pi_1'))).toEqual([facts({ asOfMs: 3_000, disputed: true })]);
  });

  it('never lets a payment and its order miss each other, whoever is faster', async () => {
    for (let round = 0; round < 20; round += 1) {
      const told = facts({ paymentId: `pi_${round}`, references: [`ch_${round}`] });
      const [orders, found] = await Promise.all([
        tell(told),
        ask(order({ orderId: `${round}` }, `ch_${round}`)),
      ]);
      expect(orders.length + found.length, `round ${round}`).toBeGreaterThan(0);
    }
  });

  it('tells names apart that look alike inside a key', async () => {
    await tell(facts({ references: ['a#b'] }));
    expect(await ask(order({ orderId: 'o#1' }, 'a'))).toEqual([]);
    expect(await ask(order({ orderId: 'o#1' }, 'a#b'))).toHaveLength(1);
    expect(await store.ordersOf(facts({ references: ['a#b'] }))).toEqual([{ ...WOO_17, orderId: 'o#1' }]);
  });
});

it('keeps rows for 400 days after they were last used', async () => {
  const name = await tables.create();
  const args = [tables.client, name, () => NOW_MS] as const;
  await dynamoPaymentRecords(...args).put(facts());
  await dynamoPaymentFacts(...args).of(provider('none'), 'acme-odoo', order({}, 'ch_1'));
  const ttl = { N: String(NOW_MS / 1000 + 400 * 86_400) };
  expect((await tables.item(name, 'facts#acme-stripe#pi_1'))?.['expiresAtS']).toEqual(ttl);
  expect((await tables.item(name, 'reference#acme-stripe#ch_1'))?.['expiresAtS']).toEqual(ttl);
});
