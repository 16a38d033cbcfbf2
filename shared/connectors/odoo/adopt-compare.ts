import Big from 'big.js';
import type { DocumentDifference } from '../contract.ts';
import { type HeldOrder, idOf, type SaleOrderLine, taxIds } from './sale-order.ts';
import type { OdooOrderWire } from './wire.ts';

/** One product of an order, all its lines together: people split and join lines as they like. */
interface Sold {
  readonly name: string;
  quantity: Big;
  /** Without tax. */
  net: Big;
  readonly taxes: Set<number>;
}

/** `ErpAdoption.compare`. Pure. */
export const differencesOf = (
  { order, lines }: HeldOrder,
  wire: OdooOrderWire,
): readonly DocumentDifference[] => {
  const { expected } = wire;
  const ours = new Map<number, Sold>();
  for (const [index, [, , vals]] of wire.vals.order_line.entries()) {
    const net = new Big(wire.lines[index]?.net ?? 0);
    const taxes = (vals.tax_id ?? vals.tax_ids)?.[0]?.[2] ?? [];
    add(ours, vals.product_id, {
      name: vals.name,
      quantity: new Big(vals.product_uom_qty),
      net,
      taxes: new Set(taxes),
    });
  }
  const theirs = new Map<number, Sold>();
  for (const line of lines) {
    const id = idOf(line.product_id) ?? 0;
    // Their rounding is no difference, its amount shows in the total.
    if (id === wire.rounding.productId) continue;
    add(theirs, id, {
      name: nameOf(line),
      quantity: new Big(line.product_uom_qty),
      net: new Big(line.price_subtotal).round(6),
      taxes: new Set(taxIds(line)),
    });
  }
  const step = new Big(expected.currency.rounding);
  const products = [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((id) =>
    ofProduct(ours.get(id), theirs.get(id), step),
  );
  const currency = order.currency_id ? String(order.currency_id[1]) : '';
  if (currency !== expected.currency.code) {
    return [...products, { what: 'currency', ours: expected.currency.code, theirs: currency }];
  }
  const total = new Big(order.amount_total).round(6);
  const isOff = total.minus(expected.erpTotal).abs().gt(expected.tolerance);
  return isOff
    ? [...products, { what: 'total', ours: expected.erpTotal, theirs: total.toFixed() }]
    : products;
};

const add = (products: Map<number, Sold>, id: number, more: Sold): void => {
  const known = products.get(id);
  if (!known) {
    products.set(id, more);
    return;
  }
  known.quantity = known.quantity.plus(more.quantity);
  known.net = known.net.plus(more.net);
  for (const tax of more.taxes) known.taxes.add(tax);
};

const ofProduct = (
  ours: Sold | undefined,
  theirs: Sold | undefined,
  step: Big,
): readonly DocumentDifference[] => {
  const text = ({ quantity, net }: Sold) => `${quantity.toFixed()} for ${net.toFixed()}`;
  // Free shipping and the like: whether it has a line is a matter of taste.
  if (!theirs) {
    return ours && !ours.net.eq(0)
      ? [{ what: 'line-missing', line: ours.name, ours: text(ours), theirs: '' }]
      : [];
  }
  if (!ours) {
    return theirs.net.eq(0)
      ? []
      : [{ what: 'line-surplus', line: theirs.name, ours: '', theirs: text(theirs) }];
  }
  const line = ours.name;
  const sorted = ({ taxes }: Sold) => [...taxes].sort((a, b) => a - b).join(' ');
  return [
    ...(ours.quantity.eq(theirs.quantity)
      ? []
      : [
          {
            what: 'quantity',
            line,
            ours: ours.quantity.toFixed(),
            theirs: theirs.quantity.toFixed(),
          } as const,
        ]),
    ...(ours.net.minus(theirs.net).abs().lte(step)
      ? []
      : [{ what: 'amount', line, ours: ours.net.toFixed(), theirs: theirs.net.toFixed() } as const]),
    ...(sorted(ours) === sorted(theirs)
      ? []
      : [{ what: 'taxes', line, ours: sorted(ours), theirs: sorted(theirs) } as const]),
  ];
};

const nameOf = ({ product_id }: SaleOrderLine): string =>
  product_id === false ? 'no product' : String(product_id[1]);
