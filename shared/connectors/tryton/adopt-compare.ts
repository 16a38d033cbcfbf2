import Big from 'big.js';
import type { DocumentDifference } from '../contract.ts';
import { liveLines, type Sale, taxesOf } from './sale.ts';
import type { TrytonOrderWire } from './wire.ts';

/** One product of an order, all its lines together: people split and join lines as they like. */
interface Sold {
  readonly name: string;
  readonly quantity: Big;
  /** Without tax. */
  readonly net: Big;
  readonly taxes: ReadonlySet<number>;
}

/** `ErpAdoption.compare`; taxes by their ids, a space between. Pure. */
export const differencesOf = (sale: Sale, wire: TrytonOrderWire): readonly DocumentDifference[] => {
  const { expected, rounding } = wire;
  const ours = new Map<number, Sold>();
  for (const [index, values] of wire.values.lines[0][1].entries()) {
    add(ours, values.product, {
      name: values.description.split('\n', 1)[0] ?? '',
      quantity: new Big(values.quantity),
      net: new Big(wire.lines[index]?.net ?? 0),
      taxes: new Set(taxesOf(values)),
    });
  }
  const theirs = new Map<number, Sold>();
  for (const line of liveLines(sale)) {
    // Their rounding is no difference, its amount shows in the total.
    if (line.product !== null && line.product === rounding.product?.id) continue;
    add(theirs, line.product ?? 0, {
      name: line.description.split('\n', 1)[0] || `product ${line.product ?? 'none'}`,
      quantity: new Big(line.quantity ?? 0),
      net: new Big(line.amount ?? 0),
      taxes: new Set(line.taxes),
    });
  }
  const step = new Big(expected.currency.rounding);
  const products = [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((id) =>
    ofProduct(ours.get(id), theirs.get(id), step),
  );
  const { code } = sale['currency.'];
  if (code !== expected.currency.code) {
    return [...products, { what: 'currency', ours: expected.currency.code, theirs: code }];
  }
  const total = new Big(sale.total_amount);
  const isOff = total.minus(expected.erpTotal).abs().gt(expected.tolerance);
  return isOff
    ? [...products, { what: 'total', ours: expected.erpTotal, theirs: total.toFixed() }]
    : products;
};

const add = (products: Map<number, Sold>, id: number, more: Sold): void => {
  const known = products.get(id);
  products.set(
    id,
    known
      ? {
          name: known.name,
          quantity: known.quantity.plus(more.quantity),
          net: known.net.plus(more.net),
          taxes: new Set([...known.taxes, ...more.taxes]),
        }
      : more,
  );
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
  const differ = (
    what: DocumentDifference['what'],
    same: boolean,
    a: string,
    b: string,
  ): readonly DocumentDifference[] => (same ? [] : [{ what, line, ours: a, theirs: b }]);
  const ids = ({ taxes }: Sold) => [...taxes].sort((a, b) => a - b).join(' ');
  return [
    ...differ(
      'quantity',
      ours.quantity.eq(theirs.quantity),
      ours.quantity.toFixed(),
      theirs.quantity.toFixed(),
    ),
    ...differ('amount', ours.net.minus(theirs.net).abs().lte(step), ours.net.toFixed(), theirs.net.toFixed()),
    ...differ('taxes', ids(ours) === ids(theirs), ids(ours), ids(theirs)),
  ];
};
