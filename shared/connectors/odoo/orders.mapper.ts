import Big from 'big.js';
import { allocate, cents, roundTo, sumOf } from '../../core/allocate.ts';
import { moneyText, moneyToDecimal, toBig } from '../../core/money.ts';
import { lineText } from '../../core/reasons.ts';
import type { OrderChangedV1, OrderCharge, OrderLine, OrderTax } from '../../events/order-changed.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { Mapped } from '../contract.ts';
import { chargeLabel, lineLabel } from '../order-parts.ts';
import { noteOf } from './note.ts';
import type { OdooRefs, OdooTax } from './refs.ts';
import type { ExpectedLine, OdooOrderWire, SaleOrderLineVals } from './wire.ts';

/** One line of the wire with what the shop says it costs. */
interface Draft {
  readonly productId: number;
  readonly name: string;
  readonly quantity: Big;
  /** For the whole quantity, as Odoo's unit price counts: taxes that are part of the price included. */
  readonly amount: Big;
  readonly taxes: readonly OdooTax[];
  readonly expected: ExpectedLine;
}

/**
 * A storefront order as one `sale.order`: pure. Discounts are lines of their own, because Odoo's `discount` is a
 * percentage and an amount need not be one. Gift cards are payment and no line.
 */
export const toWire = (
  order: OrderChangedV1,
  refs: OdooRefs,
  reference: string,
  route: OrderRoute,
): Mapped<OdooOrderWire> => {
  const warnings = [...refs.warnings];
  const unit = new Big(refs.currency.rounding);
  const drafts = [
    ...order.lines.flatMap((line, index) => productLines(line, index, refs)),
    ...discountLines(order, refs),
    ...order.charges.flatMap((charge, index) => chargeLines(charge, index, refs)),
  ];

  // With a tolerance of zero nothing may be left to rounding.
  const slack = route.roundingTolerance > 0 ? unit : new Big(0);
  const split = drafts.map((draft) => ({ draft, pieces: unitPrices(draft, refs.priceDigits, slack) }));
  const lines = split.flatMap(({ draft, pieces }) =>
    pieces.map((piece): { vals: SaleOrderLineVals; expected: ExpectedLine } => ({
      vals: {
        product_id: draft.productId,
        name: draft.name,
        product_uom_qty: exact(piece.quantity),
        price_unit: exact(piece.price),
        // Explicit, or a pricelist may add a discount of its own.
        discount: 0,
        [refs.fields.taxes]: [[6, 0, draft.taxes.map(({ id }) => id).sort((a, b) => a - b)]],
      },
      expected: portion(draft, piece, order.currency),
    })),
  );

  // What our own unit prices leave to rounding must not count against the shop's numbers.
  const misses = split.filter(
    ({ draft, pieces }) => !roundTo(sumOfPieces(pieces), unit).eq(roundTo(draft.amount, unit)),
  ).length;
  const coarse = split.find(({ draft, pieces }) => draft.amount.minus(sumOfPieces(pieces)).abs().gt(unit));
  if (coarse) {
    warnings.push(
      `${lineText(coarse.draft.expected.label)} has no exact unit price with the ${refs.priceDigits} decimals of ${refs.destination}: raise its decimal precision "Product Price".`,
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
  const { partnerId, invoiceId, shippingId } = refs.customer;
  if (partnerId === undefined) {
    warnings.push(`The customer does not exist in ${refs.destination} yet; it would be created.`);
  } else if (invoiceId === undefined || shippingId === undefined) {
    warnings.push(
      `An address of the customer does not exist in ${refs.destination} yet; it would be created.`,
    );
  }
  const commitment = refs.fields.commitmentDate ? commitmentDate(order) : undefined;
  const note = noteOf(order);
  return {
    value: {
      destination: refs.destination,
      companyId: refs.companyId,
      companyChosen: refs.companyChosen,
      vals: {
        ...(partnerId !== undefined && { partner_id: partnerId }),
        ...(invoiceId !== undefined && { partner_invoice_id: invoiceId }),
        ...(shippingId !== undefined && { partner_shipping_id: shippingId }),
        client_order_ref: reference,
        origin: `${order.source} #${order.orderNumber}`,
        date_order: odooDatetime(order.placedAt),
        ...(commitment && { commitment_date: commitment }),
        company_id: refs.companyId,
        ...(refs.pricelistId !== undefined && { pricelist_id: refs.pricelistId }),
        ...(refs.warehouseId !== undefined && { warehouse_id: refs.warehouseId }),
        ...(refs.paymentTermId !== undefined && { payment_term_id: refs.paymentTermId }),
        ...(note && { note }),
        order_line: lines.map(({ vals }) => [0, 0, vals] as const),
      },
      lines: lines.map(({ expected }) => expected),
      expected: {
        total: moneyToDecimal(order.total),
        erpTotal: erpTotal.toFixed(),
        currency: refs.currency,
        tolerance: tolerance.toFixed(),
      },
      rounding: refs.rounding,
      taxField: refs.fields.taxes,
    },
    warnings,
  };
};

const odooTaxes = (taxes: readonly OrderTax[], refs: OdooRefs): readonly OdooTax[] => {
  if (taxes.length === 0) return refs.noTax;
  const mapped = taxes.map(({ key }) => refs.taxes[key]).filter((tax) => tax !== undefined);
  return [...new Map(mapped.map((tax) => [tax.id, tax])).values()];
};

/** The taxes of a part of the line: the event states them for what is left after the discount. */
const taxesBefore = (line: OrderLine, refs: OdooRefs): readonly { tax: OrderTax; before: Big }[] => {
  const subtotal = toBig(line.subtotal);
  const total = toBig(line.total);
  return line.taxes.map((tax) => {
    const amount = toBig(tax.amount);
    if (line.discount.minor === 0 || refs.taxes[tax.key]?.fixed) return { tax, before: amount };
    return {
      tax,
      before: total.eq(0) ? subtotal.times(tax.ratePercent ?? 0).div(100) : amount.times(subtotal).div(total),
    };
  });
};

const includedSum = (parts: readonly { tax: OrderTax; amount: Big }[], refs: OdooRefs): Big =>
  sumOf(parts.filter(({ tax }) => refs.taxes[tax.key]?.included).map(({ amount }) => amount));

const productLines = (line: OrderLine, index: number, refs: OdooRefs): Draft[] => {
  const components = refs.lines[index]?.components ?? [];
  const before = taxesBefore(line, refs);
  const tax = cents(sumOf(before.map((part) => part.before)), line.subtotal.currency);
  const amount = toBig(line.subtotal).plus(
    cents(
      includedSum(
        before.map((part) => ({ tax: part.tax, amount: part.before })),
        refs,
      ),
      line.subtotal.currency,
    ),
  );
  const taxes = odooTaxes(line.taxes, refs);
  const shares = components.map(({ share }) => share);
  const amounts = allocate(amount, shares, line.subtotal.currency);
  const nets = allocate(toBig(line.subtotal), shares, line.subtotal.currency);
  const taxShares = allocate(tax, shares, line.subtotal.currency);
  const name = [line.title, ...line.attributes.map((a) => `${a.name}: ${a.value}`)].join('\n');
  return components.map((component, n) => ({
    productId: component.productId,
    // Several parts of one bundle would otherwise read alike.
    name: components.length > 1 ? `${name}\n${component.sku}` : name,
    quantity: new Big(line.quantity).times(component.quantity),
    amount: amounts[n] ?? new Big(0),
    taxes,
    expected: {
      label: lineLabel(line, index),
      net: (nets[n] ?? new Big(0)).toFixed(),
      tax: (taxShares[n] ?? new Big(0)).toFixed(),
    },
  }));
};

/** One line per set of taxes, so that each discount lowers exactly the taxes of what it was given on. */
const discountLines = (order: OrderChangedV1, refs: OdooRefs): Draft[] => {
  const groups = new Map<string, { taxes: readonly OdooTax[]; amount: Big; net: Big; tax: Big }>();
  for (const line of order.lines) {
    if (line.discount.minor === 0) continue;
    const taxes = odooTaxes(line.taxes, refs).filter(({ fixed }) => !fixed);
    const key = String(taxes.map(({ id }) => id).sort((a, b) => a - b));
    const group = groups.get(key) ?? { taxes, amount: new Big(0), net: new Big(0), tax: new Big(0) };
    const saved = taxesBefore(line, refs).map(({ tax, before }) => ({
      tax,
      amount: before.minus(toBig(tax.amount)),
    }));
    const { currency } = line.subtotal;
    groups.set(key, {
      taxes,
      amount: group.amount.plus(toBig(line.discount)).plus(cents(includedSum(saved, refs), currency)),
      net: group.net.plus(toBig(line.discount)),
      tax: group.tax.plus(cents(sumOf(saved.map(({ amount }) => amount)), currency)),
    });
  }
  const productId = refs.discountProductId;
  if (productId === undefined) return [];
  const codes = order.discounts.map(({ code }) => code).filter(Boolean);
  const name = codes.length > 0 ? `Discount: ${codes.join(', ')}` : 'Discount';
  return [...groups.values()].map(({ taxes, amount, net, tax }) => ({
    productId,
    name,
    quantity: new Big(1),
    amount: amount.times(-1),
    taxes,
    expected: {
      label: { kind: 'discount' },
      net: net.times(-1).toFixed(),
      tax: tax.times(-1).toFixed(),
    },
  }));
};

const chargeLines = (charge: OrderCharge, index: number, refs: OdooRefs): Draft[] => {
  const productId = refs.charges[index];
  if (typeof productId !== 'number') return [];
  const taxes = charge.taxes.map((tax) => ({ tax, amount: toBig(tax.amount) }));
  return [
    {
      productId,
      name: charge.title || charge.kind,
      quantity: new Big(1),
      amount: toBig(charge.total).plus(includedSum(taxes, refs)),
      taxes: odooTaxes(charge.taxes, refs),
      expected: {
        label: chargeLabel(charge),
        net: toBig(charge.total).toFixed(),
        tax: sumOf(taxes.map(({ amount }) => amount)).toFixed(),
      },
    },
  ];
};

interface Piece {
  readonly quantity: Big;
  readonly price: Big;
}

/**
 * Unit prices in the decimals that Odoo keeps. 100.00 for 7 pieces has no such price: 7 x 14.29 is 100.03. A miss
 * of more than `slack` (one rounding unit of the currency) is removed by splitting the line into two adjacent
 * prices: 4 x 14.29 + 3 x 14.28. A smaller one stays, for the rounding line: one line is easier to pick.
 */
const unitPrices = (draft: Draft, digits: number, slack: Big): readonly Piece[] => {
  const { quantity, amount } = draft;
  const price = amount.div(quantity).round(digits, Big.roundHalfUp);
  const single = [{ quantity, price }];
  const miss = amount.minus(price.times(quantity));
  if (miss.abs().lte(slack) || !quantity.eq(quantity.round(0))) return single;
  const step = new Big(10).pow(-digits).times(miss.s);
  // So many pieces one step dearer (or cheaper) bring the sum closest to the amount.
  const moved = miss.div(step).round(0, Big.roundHalfUp);
  if (moved.eq(0) || moved.gte(quantity)) return single;
  return [
    { quantity: quantity.minus(moved), price },
    { quantity: moved, price: price.plus(step) },
  ];
};

const sumOfPieces = (pieces: readonly Piece[]): Big =>
  sumOf(pieces.map(({ quantity, price }) => quantity.times(price)));

/** The part of the expectation that one piece of a split line carries. */
const portion = ({ expected, quantity, amount }: Draft, piece: Piece, currency: string): ExpectedLine => {
  if (piece.quantity.eq(quantity) || amount.eq(0)) return expected;
  const share = piece.quantity.times(piece.price).div(amount);
  const part = (value: string) => cents(new Big(value).times(share), currency).toFixed();
  return { label: expected.label, net: part(expected.net), tax: part(expected.tax) };
};

/** The JSON number closest to an exact decimal: prints with the same digits. */
const exact = (value: Big): number => Number(value.toFixed()) + 0;

/** @example odooDatetime('2026-11-21T22:56:24.120Z') // '2026-11-21 22:56:24' */
export const odooDatetime = (iso: string): string =>
  new Date(iso).toISOString().slice(0, 19).replace('T', ' ');

/** The latest of pre-order dates, else the delivery date that the buyer asked for, if it is one. */
const commitmentDate = (order: OrderChangedV1): string | undefined => {
  const preOrder = order.lines
    .flatMap((line) => line.availableAt ?? [])
    .sort()
    .at(-1);
  const wanted = preOrder ?? order.requestedDelivery?.trim();
  const [, day, time] = /^(\d{4}-\d{2}-\d{2})(T.*(?:Z|[+-]\d{2}:?\d{2}))?$/.exec(wanted ?? '') ?? [];
  if (!day) return undefined;
  // A day without time: noon UTC is the same day almost everywhere.
  const at = new Date(time ? `${day}${time}` : `${day}T12:00:00Z`);
  return Number.isNaN(at.getTime()) ? undefined : odooDatetime(at.toISOString());
};
