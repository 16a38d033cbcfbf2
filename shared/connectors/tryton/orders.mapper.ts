import Big from 'big.js';
import { allocate, roundTo, sumOf } from '../../core/allocate.ts';
import { moneyText, moneyToDecimal, toBig } from '../../core/money.ts';
import { type LineLabel, lineText } from '../../core/reasons.ts';
import type { OrderChangedV1, OrderCharge, OrderLine, OrderTax } from '../../events/order-changed.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { Mapped } from '../contract.ts';
import { chargeLabel, lineLabel } from '../order-parts.ts';
import { commentOf } from './comment.ts';
import { decimal, trytonDate } from './json.ts';
import type { SaleProduct, TrytonRefs } from './refs.ts';
import type { ExpectedLine, SaleLineValues, TrytonOrderWire } from './wire.ts';

/** One line of the wire with what the shop says it costs. */
interface Draft {
  readonly product: SaleProduct;
  readonly description: string;
  readonly quantity: Big;
  /** For the whole quantity, after discount, without tax. */
  readonly amount: Big;
  readonly taxes: readonly number[];
  readonly label: LineLabel;
}

/**
 * A storefront order as one `sale.sale`: pure. Prices are net and after discount, because a sale has no field for
 * discounts and what Tryton gives back later is what a line cost. Gift cards are payment and no line.
 */
export const toWire = (
  order: OrderChangedV1,
  refs: TrytonRefs,
  reference: string,
  route: OrderRoute,
): Mapped<TrytonOrderWire> => {
  const warnings = [...refs.warnings];
  const unit = new Big(refs.currency.rounding);
  const drafts = [
    ...order.lines.flatMap((line, index) => productLines(line, index, refs)),
    ...order.charges.flatMap((charge, index) => chargeLines(charge, index, refs)),
  ];
  // With a tolerance of zero nothing may be left to rounding.
  const slack = route.roundingTolerance > 0 ? unit : new Big(0);
  const split = drafts.map((draft) => ({ draft, pieces: unitPrices(draft, refs.priceDigits, unit, slack) }));
  const lines = split.flatMap(({ draft, pieces }) =>
    pieces.map((piece): { values: SaleLineValues; expected: ExpectedLine } => ({
      values: {
        type: 'line',
        product: draft.product.id,
        unit: draft.product.unit,
        quantity: Number(piece.quantity.toFixed()),
        unit_price: decimal(piece.price.toFixed()),
        description: draft.description,
        taxes: draft.taxes.length > 0 ? [['add', [...draft.taxes].sort((a, b) => a - b)]] : [],
      },
      expected: {
        label: draft.label,
        net: (pieces.length === 1 ? draft.amount : piece.quantity.times(piece.price)).toFixed(),
      },
    })),
  );

  // What our own unit prices leave to rounding must not count against the shop's numbers.
  const misses = split.filter(({ draft, pieces }) => missOf(draft, pieces, unit).abs().gt(0)).length;
  const coarse = split.find(({ draft, pieces }) => missOf(draft, pieces, unit).abs().gt(unit));
  if (coarse) {
    warnings.push(
      `${lineText(coarse.draft.label)} has no exact unit price with the ${refs.priceDigits} decimals of ${refs.destination}.`,
    );
  }
  const total = toBig(order.total);
  const erpTotal = roundTo(total, unit);
  if (!erpTotal.eq(total)) {
    warnings.push(
      `${refs.destination} rounds ${order.currency} to ${unit.toFixed()}: ${moneyText(order.total)} is booked as ${erpTotal.toFixed()}.`,
    );
  }
  const tolerance = unit
    .times(new Big(route.roundingTolerance).times(lines.length))
    .plus(route.roundingTolerance > 0 ? unit.times(misses) : 0)
    .plus(toBig(order.rounding).abs());
  const { partyId, invoiceAddressId, shipmentAddressId } = refs.customer;
  if (partyId === undefined) {
    warnings.push(`The customer does not exist in ${refs.destination} yet; it would be created.`);
  } else if (invoiceAddressId === undefined || shipmentAddressId === undefined) {
    warnings.push(
      `An address of the customer does not exist in ${refs.destination} yet; it would be created.`,
    );
  }
  const shipFrom = preOrderDay(order, refs.company.timeZone);
  return {
    value: {
      destination: refs.destination,
      companyId: refs.company.id,
      values: {
        company: refs.company.id,
        ...(partyId !== undefined && { party: partyId }),
        ...(invoiceAddressId !== undefined && { invoice_address: invoiceAddressId }),
        ...(shipmentAddressId !== undefined && { shipment_address: shipmentAddressId }),
        reference,
        description: `${order.source} #${order.orderNumber}`,
        sale_date: trytonDate(dayIn(refs.company.timeZone, order.placedAt)),
        ...(shipFrom && { shipping_date: trytonDate(shipFrom) }),
        currency: refs.currency.id,
        ...(refs.warehouseId !== undefined && { warehouse: refs.warehouseId }),
        ...(refs.paymentTermId !== undefined && { payment_term: refs.paymentTermId }),
        comment: commentOf(order),
        lines: [['create', lines.map(({ values }) => values)]],
      },
      lines: lines.map(({ expected }) => expected),
      expected: {
        total: moneyToDecimal(order.total),
        erpTotal: erpTotal.toFixed(),
        currency: refs.currency,
        tolerance: tolerance.toFixed(),
      },
      rounding: refs.rounding,
    },
    warnings,
  };
};

export const taxesOf = (
  taxes: readonly OrderTax[],
  refs: Pick<TrytonRefs, 'taxes' | 'noTax'>,
): readonly number[] =>
  taxes.length === 0
    ? refs.noTax
    : [...new Set(taxes.map(({ key }) => refs.taxes[key]).filter((id) => id !== undefined))];

const productLines = (line: OrderLine, index: number, refs: TrytonRefs): Draft[] => {
  const components = refs.lines[index]?.components ?? [];
  const shares = components.map(({ share }) => share);
  const amounts = allocate(toBig(line.total), shares, line.total.currency);
  const description = [
    line.title,
    ...line.attributes.map(({ name, value }) => `${name}: ${value}`),
    ...(line.discount.minor === 0 ? [] : [`Discount: ${moneyText(line.discount)}`]),
  ].join('\n');
  return components.map((component, n) => ({
    product: component,
    // Several parts of one bundle would otherwise read alike.
    description: components.length > 1 ? `${description}\n${component.sku}` : description,
    quantity: new Big(line.quantity).times(component.quantity),
    amount: amounts[n] ?? new Big(0),
    taxes: taxesOf(line.taxes, refs),
    label: lineLabel(line, index),
  }));
};

const chargeLines = (charge: OrderCharge, index: number, refs: TrytonRefs): Draft[] => {
  const product = refs.charges[index];
  if (!product) return [];
  return [
    {
      product,
      description: charge.title || charge.kind,
      quantity: new Big(1),
      amount: toBig(charge.total),
      taxes: taxesOf(charge.taxes, refs),
      label: chargeLabel(charge),
    },
  ];
};

interface Piece {
  readonly quantity: Big;
  readonly price: Big;
}

/**
 * Unit prices in the decimals that Tryton keeps. With four of them 100.00 for 7 pieces is 7 x 14.2857 = 99.9999, which
 * Tryton rounds to 100.00. A miss of more than `slack` (one rounding unit of the currency) is removed by splitting the
 * line into two adjacent prices; a smaller one stays, for the rounding line: one line is easier to pick.
 */
const unitPrices = (
  draft: Pick<Draft, 'quantity' | 'amount'>,
  digits: number,
  unit: Big,
  slack: Big,
): readonly Piece[] => {
  const { quantity, amount } = draft;
  const price = amount.div(quantity).round(digits, Big.roundHalfUp);
  const single = [{ quantity, price }];
  const miss = amount.minus(price.times(quantity));
  if (missOf(draft, single, unit).abs().lte(slack) || !quantity.eq(quantity.round(0))) return single;
  const step = new Big(10).pow(-digits).times(miss.s);
  // So many pieces one step dearer (or cheaper) bring the sum closest to the amount.
  const moved = miss.div(step).round(0, Big.roundHalfUp);
  if (moved.eq(0) || moved.gte(quantity)) return single;
  return [
    { quantity: quantity.minus(moved), price },
    { quantity: moved, price: price.plus(step) },
  ];
};

/** What Tryton will not have booked: it rounds the amount of each line by itself. */
const missOf = ({ amount }: Pick<Draft, 'amount'>, pieces: readonly Piece[], unit: Big): Big =>
  roundTo(amount, unit).minus(
    sumOf(pieces.map(({ quantity, price }) => roundTo(quantity.times(price), unit))),
  );

/** The day that the company's calendar shows at an instant. @example dayIn('Asia/Taipei', '2026-11-21T22:55:57Z') // '2026-11-22' */
export const dayIn = (timeZone: string, iso: string): string => {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(new Date(iso));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
};

/** The latest of the days before which a line must not be shipped. */
const preOrderDay = (order: OrderChangedV1, timeZone: string): string | undefined => {
  const latest = order.lines
    .flatMap(({ availableAt }) => availableAt ?? [])
    .sort()
    .at(-1);
  return latest && dayIn(timeZone, latest);
};
