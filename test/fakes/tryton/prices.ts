import Big from 'big.js';
import type { RecordStore, Values } from './records.ts';

/**
 * What the modules product_price_list, sale_price_list and product_price_list_dates do (their Python source; compared with a
 * real 6.0.29 by test/tryton/products.spec.ts): the first line that matches, by sequence, and its formula.
 */
export const prices = (store: RecordStore, today: string): void => {
  const recName = (category: Values): string => {
    const parent = store.all('product.category').find(({ id }) => id === category['parent']);
    return `${parent ? `${recName(parent)} / ` : ''}${category['name']}`;
  };
  store.compute('product.category', 'rec_name', recName);
  store.compute('product.product', 'sale_price_uom', (product, context) => {
    const template = store.get('product.template', product['template']);
    const listPrice = new Big((template['list_price'] as { decimal: string }).decimal);
    const day = (value: unknown) => {
      const { year, month, day: date } = value as Record<'year' | 'month' | 'day', number>;
      return new Date(Date.UTC(year, month - 1, date)).toISOString().slice(0, 10);
    };
    const line = store
      .all('product.price_list.line')
      .filter((each) => each['price_list'] === context['price_list'])
      .sort((a, b) => Number(a['sequence'] ?? 0) - Number(b['sequence'] ?? 0))
      .find(
        (each) =>
          (!each['product'] || each['product'] === product.id) &&
          Number(each['quantity'] ?? 0) <= Number(context['quantity'] ?? 0) &&
          (!each['start_date'] || day(each['start_date']) <= today) &&
          (!each['end_date'] || day(each['end_date']) >= today),
      );
    const factor = (field: string) => Number(store.get('product.uom', product[field])['factor']);
    const price = (line ? computed(String(line['formula']), listPrice) : listPrice)
      .times(factor('sale_uom'))
      .div(factor('default_uom'));
    return { __class__: 'Decimal', decimal: price.toFixed() };
  });
};

/** Of Python, no more than `unit_price`, a number, or the one times the other. */
const computed = (formula: string, unitPrice: Big): Big => {
  const [, number] = /^unit_price(?: \* Decimal\('([\d.]+)'\))?$/.exec(formula) ?? [];
  if (/^unit_price/.test(formula)) return unitPrice.times(number ?? 1);
  const [, fixed] = /^Decimal\('([\d.]+)'\)$/.exec(formula) ?? [];
  if (fixed === undefined) throw new Error(`the fake Tryton cannot work out "${formula}"`);
  return new Big(fixed);
};
