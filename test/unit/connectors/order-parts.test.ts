import { describe, expect, it } from 'vitest';
import type { MappingRow } from '../../../shared/connectors/contract.ts';
import {
  chargeLabel,
  journalOf,
  lineLabel,
  mappedTaxes,
  sellable,
  skuKeys,
  wantedComponents,
} from '../../../shared/connectors/order-parts.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { OrderLine } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';

const [line, mug] = anOrder().lines as [OrderLine, OrderLine];
const [shipping] = anOrder().charges;
const lineWith = (ids: Partial<OrderLine>): OrderLine => ({ ...line, sku: undefined, ...ids });
const rowsOf = (rows: Readonly<Record<string, readonly string[]>>): Map<string, MappingRow> =>
  new Map(
    Object.entries(rows).map(([key, values]) => [
      key,
      { to: values.map((value) => ({ value, quantity: 1, share: 1 })) } as unknown as MappingRow,
    ]),
  );

const refusalOf = async (work: () => unknown): Promise<{ code: string; params: unknown }> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof PermanentError) return { code: error.code, params: error.params };
    throw error;
  }
  throw new Error('it was not refused');
};

it('people count lines from one', () => {
  expect(lineLabel(mug, 1)).toEqual({ kind: 'line', number: 2, title: mug.title });
  expect(shipping && chargeLabel(shipping)).toEqual({ kind: 'shipping', title: '宅配' });
});

it.each<[string, Partial<OrderLine>, readonly string[]]>([
  ['a SKU', { sku: 'TEA', productId: '7', variantId: '8' }, ['TEA']],
  ['a variant, then its product', { productId: '7', variantId: '8' }, ['product:7:8', 'product:7']],
  ['a product', { productId: '7' }, ['product:7']],
  ['nothing', {}, []],
  ['a variant of nothing', { variantId: '8' }, []],
])('a line may have a row by %s', (_case, ids, keys) => {
  expect(skuKeys(lineWith(ids))).toEqual(keys);
});

describe('what a line means at the ERP', () => {
  it.each<[string, Partial<OrderLine>, Record<string, string[]>, string[]]>([
    ['its row', { sku: 'TEA' }, { TEA: ['TEA-150', 'BOX'] }, ['TEA-150', 'BOX']],
    ['its SKU where it has no row', { sku: 'TEA' }, { MUG: ['MUG-1'] }, ['TEA']],
    ['its SKU where its row is empty', { sku: 'TEA' }, { TEA: [] }, ['TEA']],
    [
      "the variant's row before the product's",
      { productId: '7', variantId: '8' },
      { 'product:7': ['ANY'], 'product:7:8': ['RED'] },
      ['RED'],
    ],
    ["the product's row", { productId: '7', variantId: '8' }, { 'product:7': ['ANY'] }, ['ANY']],
    [
      "the product's row where the variant's is empty",
      { productId: '7', variantId: '8' },
      { 'product:7:8': [], 'product:7': ['ANY'] },
      ['ANY'],
    ],
  ])('%s', (_case, ids, rows, skus) => {
    const wanted = wantedComponents(lineWith(ids), 0, rowsOf(rows));
    expect(wanted).toEqual(skus.map((value) => ({ value, quantity: 1, share: 1 })));
  });

  it('without SKU and row it waits for one', async () => {
    expect(await refusalOf(() => wantedComponents(lineWith({ productId: '7' }), 1, rowsOf({})))).toEqual({
      code: 'MISSING_SKU',
      params: { line: { kind: 'line', number: 2, title: line.title } },
    });
  });
});

describe('a product can be sold', () => {
  const label = lineLabel(line, 0);
  const about = { line: label, sku: 'TEA', destination: 'acme-odoo' };

  it('if it is active and alone', () => {
    const product = { state: 'active', count: 1 } as const;
    expect(sellable(product, 'TEA', label, 'acme-odoo')).toBe(product);
  });

  it.each<[string, { state: 'active' | 'archived'; count: number } | undefined, string, object]>([
    ['there', undefined, 'UNKNOWN_SKU', about],
    ['archived', { state: 'archived', count: 0 }, 'ARCHIVED_SKU', about],
    ['one of two', { state: 'active', count: 2 }, 'AMBIGUOUS_SKU', { ...about, count: 2 }],
  ])('not if it is %s', async (_case, product, code, params) => {
    expect(await refusalOf(() => sellable(product, 'TEA', label, 'acme-odoo'))).toEqual({ code, params });
  });
});

describe('taxes', () => {
  const tax = (key: string) => ({
    key,
    title: 'VAT',
    ratePercent: '5',
    compound: false,
    amount: { minor: 1, currency: 'TWD' },
  });
  /** An order of two lines and one charge that carry taxes of these keys. */
  const taxedBy = (first: string[], second: string[], charge: string[]) =>
    anOrder({
      lines: [
        { ...line, taxes: first.map(tax) },
        { ...mug, taxes: second.map(tax) },
      ],
      charges: shipping ? [{ ...shipping, taxes: charge.map(tax) }] : [],
    });

  const mapped = async (
    order: ReturnType<typeof anOrder>,
    rows: Record<string, string[]>,
    isBooked: readonly boolean[] = [true],
  ) => {
    const asked: (readonly string[])[] = [];
    const result = await mappedTaxes(
      order,
      'acme-odoo',
      isBooked,
      async (kind, keys) => {
        asked.push([kind, ...keys]);
        return rowsOf(rows);
      },
      async (wanted) => Object.fromEntries(wanted.map(({ key, to }) => [key, `erp ${to}`])),
    );
    return { ...result, asked };
  };

  it('are those of the rows, for lines and charges', async () => {
    expect(await mapped(taxedBy(['5'], ['8'], ['5']), { 5: ['S5'], 8: ['S8', 'ignored'] })).toEqual({
      taxes: { 5: 'erp S5', 8: 'erp S8' },
      noTax: [],
      asked: [['tax', '5', '8', '5']],
    });
  });

  it('of a charge that is not booked are not asked for', async () => {
    expect(await mapped(taxedBy(['5'], ['5'], ['9']), { 5: ['S5'] }, [false])).toEqual({
      taxes: { 5: 'erp S5' },
      noTax: [],
      asked: [['tax', '5', '5']],
    });
  });

  it.each<[string, Record<string, string[]>, string[]]>([
    ['have the row "none"', { 5: ['S5'], none: ['S0'] }, ['erp S0']],
    ['have none without that row', { 5: ['S5'] }, []],
    ['have none where that row is empty', { 5: ['S5'], none: [] }, []],
  ])('that are missing in the shop %s', async (_case, rows, noTax) => {
    expect(await mapped(taxedBy(['5'], [], ['5']), rows)).toEqual({
      taxes: { 5: 'erp S5' },
      noTax,
      asked: [['tax', '5', '5', 'none']],
    });
  });

  it('of lines that all carry some leave the row "none" alone', async () => {
    expect(await mapped(taxedBy(['5'], ['5'], ['5']), { 5: ['S5'], none: ['S0'] })).toMatchObject({
      taxes: { 5: 'erp S5' },
      noTax: [],
    });
  });

  it('may be called "none" by the shop itself', async () => {
    expect(await mapped(taxedBy(['none'], [], ['none']), { none: ['S0'] })).toMatchObject({
      taxes: { none: 'erp S0' },
      noTax: ['erp S0'],
    });
  });

  it.each<[string, ReturnType<typeof anOrder>, Record<string, string[]>, object]>([
    [
      'line',
      taxedBy(['5'], ['8'], ['5']),
      { 5: ['S5'] },
      { line: { kind: 'line', number: 2, title: mug.title }, tax: '8' },
    ],
    [
      'charge',
      taxedBy(['5'], ['5'], ['9']),
      { 5: ['S5'], 9: [] },
      { line: { kind: 'shipping', title: '宅配' }, tax: '9' },
    ],
  ])('without a row wait for one, and name the %s', async (_case, order, rows, about) => {
    expect(await refusalOf(() => mapped(order, rows))).toEqual({
      code: 'UNMAPPED_TAX',
      params: { ...about, source: 'acme-woo', destination: 'acme-odoo' },
    });
  });
});

describe('a payment method', () => {
  const asked: unknown[] = [];
  const mappings = (rows: Record<string, string[]>) => ({
    lookup: async (...question: unknown[]) => {
      asked.push(question);
      return rowsOf(rows);
    },
  });
  const journal = (rows: Record<string, string[]>) =>
    journalOf(mappings(rows) as never, 'acme-woo', 'acme-odoo', 'stripe');

  it('has the journal of its row', async () => {
    asked.length = 0;
    expect(await journal({ stripe: ['BNK1', 'ignored'], cod: ['CSH1'] })).toEqual({
      method: 'stripe',
      source: 'acme-woo',
      to: 'BNK1',
    });
    expect(asked).toEqual([['journal', 'acme-woo', 'acme-odoo', ['stripe']]]);
  });

  it.each([[{}], [{ stripe: [] }]])('without one waits for it: %j', async (rows) => {
    expect(await refusalOf(() => journal(rows))).toEqual({
      code: 'UNKNOWN_PAYMENT_JOURNAL',
      params: { method: 'stripe', source: 'acme-woo', destination: 'acme-odoo' },
    });
  });
});
