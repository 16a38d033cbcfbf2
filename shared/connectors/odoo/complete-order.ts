import Big from 'big.js';
import { roundTo } from '../../core/allocate.ts';
import { PermanentError } from '../../core/errors.ts';
import { type Money, moneyFromDecimal, moneyRounded, moneyText, zero } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import type { CompletedOrder, PeerDocument } from '../contract.ts';
import { callOf, documentOf, type OdooOrdersOptions } from './connection.ts';
import { PAYMENT_PENDING, withPaymentPending } from './note.ts';
import {
  CONFIRMED,
  editedInErp,
  fingerprintOf,
  type HeldOrder,
  idOf,
  isCancelled,
  isLocked,
  isOpen,
  noteText,
  readHeld,
  type SaleOrder,
  type SaleOrderLine,
  sameLine,
  taxIds,
  tooLate,
} from './sale-order.ts';
import type { ExpectedLine, OdooOrderWire, SaleOrderLineVals, X2manyCommand } from './wire.ts';

type Level = 'draft' | 'reserve' | 'confirm';

/**
 * Brings a `sale.order` to what `wire` says and to `level`. Everything is read first, so that it can be done again.
 * `asLeft`: the fingerprint of our last completion, see `ErpOrders.complete`.
 */
export const completeOrder = async (
  { client, master, destination, url }: OdooOrdersOptions,
  doc: PeerDocument,
  wire: OdooOrderWire,
  level: Level,
  asLeft: string | undefined,
  { signal }: CallContext,
): Promise<CompletedOrder> => {
  const call = callOf(wire, signal);
  const id = Number(doc.id);
  const warnings: string[] = [];
  const { code } = wire.expected.currency;
  const shopTotal = moneyText(moneyFromDecimal(wire.expected.total, code));

  const read = async (): Promise<HeldOrder> => {
    const held = await readHeld(client, master, id, call);
    if (held && !isCancelled(held.order)) return held;
    throw new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: held?.order.name ?? doc.name ?? `sale.order ${doc.id}`,
    });
  };
  const write = (vals: object, operation: ErpOperation) =>
    client.write('sale.order', [id], vals, operation, call);

  let held = await read();
  let matched = matchLines(held.lines, wire);
  const isChange = asLeft !== undefined;
  const saysAll = isChange
    ? matched.same && saysHeader(held.order, wire)
    : matched.same && currencyId(held.order) === wire.expected.currency.id;

  if (!saysAll && isChange && fingerprintOf(held) !== asLeft) {
    throw editedInErp(held, destination, shopTotal);
  }
  if (isOpen(held.order)) {
    // Written with an older mapping by an attempt of ours that was never completed, or changed in the shop since.
    if (!saysAll) {
      const commands: X2manyCommand[] = [[5, 0, 0], ...wire.vals.order_line];
      await write(
        {
          ...(wire.vals.pricelist_id !== undefined && { pricelist_id: wire.vals.pricelist_id }),
          ...(isChange && headerVals(held.order, wire)),
          order_line: commands,
        },
        { what: 'rewrite-draft' },
      );
    }
  } else if (!saysAll && isChange) {
    const commands = changeCommands(held, matched, destination);
    await write(
      { ...headerVals(held.order, wire), ...(commands.length > 0 && { order_line: commands }) },
      { what: 'change-order', document: held.order.name },
    );
  }
  // Modules may have changed what we wrote: from here only the total counts.
  if (!saysAll && (isOpen(held.order) || isChange)) {
    held = await read();
    matched = matchLines(held.lines, wire);
  }

  if (isOpen(held.order) || isChange) {
    if (currencyId(held.order) !== wire.expected.currency.id) {
      throw new PermanentError('UNMAPPED_CURRENCY', { currency: code, destination });
    }
    const command = roundingCommand(held.order, matched, wire);
    if (command) {
      await write({ order_line: [command] }, { what: 'book-rounding' });
      held = await read();
      matched = matchLines(held.lines, wire);
    }
    if (!amountOf(held.order).eq(wire.expected.erpTotal)) throw totalMismatch(held.order, matched, wire);
  } else {
    const gap = amountOf(held.order).minus(wire.expected.erpTotal).abs();
    if (gap.gt(wire.expected.tolerance)) throw totalMismatch(held.order, matched, wire);
    if (gap.gt(0))
      warnings.push(`${held.order.name} was confirmed by hand, ${gap.toFixed()} off the shop's total.`);
  }
  if (level !== 'draft') {
    if (isOpen(held.order)) await confirm();
    if (!isOpen(held.order)) await afterConfirmation();
  }

  const { order } = held;
  const total = moneyRounded(String(order.amount_total), code);
  if (!amountOf(order).eq(wire.expected.total)) {
    warnings.push(`The shop charged ${shopTotal}, ${order.name} says ${moneyText(total)}.`);
  }
  return {
    ...documentOf(url, 'sale.order', id, order.name),
    total,
    rounding: roundingOf(matched, wire),
    fingerprint: fingerprintOf(held),
    warnings,
  };

  async function confirm(): Promise<void> {
    const { note, name } = held.order;
    if (level === 'reserve' && !note.includes(PAYMENT_PENDING)) {
      await write({ note: withPaymentPending(note, true) }, { what: 'note-payment-pending' });
    }
    try {
      await client.act('sale.order', 'action_confirm', [id], { what: 'confirm-order', document: name }, call);
    } catch (error) {
      // Confirmed by somebody else in this moment: Odoo raises, and the state says so.
      const now = error instanceof PermanentError ? await read() : undefined;
      if (!now || isOpen(now.order)) throw error;
      held = now;
      return;
    }
    held = await read();
    if (!isOpen(held.order)) return;
    throw new PermanentError('ERP_REFUSED', {
      destination,
      operation: { what: 'confirm-order', document: name },
      error: { why: 'asked-a-question' },
    });
  }

  /** Confirming sets `date_order` to now (observed on 16 to 18): the buyer's date is put back. */
  async function afterConfirmation(): Promise<void> {
    const { state, name, note, date_order } = held.order;
    if (!CONFIRMED.has(state)) {
      warnings.push(`${name} waits in state "${state}": Odoo has not confirmed it yet.`);
    }
    const vals = {
      ...(date_order !== wire.vals.date_order && { date_order: wire.vals.date_order }),
      ...(level === 'confirm' && note.includes(PAYMENT_PENDING) && { note: withPaymentPending(note, false) }),
    };
    if (Object.keys(vals).length === 0) return;
    try {
      await write(vals, { what: 'restore-order-date', document: name });
    } catch (error) {
      // The order is in and confirmed: its date alone must not park it.
      if (!(error instanceof PermanentError)) throw error;
      warnings.push(`${destination} refused to restore the order date of ${name}.`);
    }
  }
};

/** Address and note, where the shop may have changed them. */
const headerVals = (order: SaleOrder, { vals }: OdooOrderWire) => {
  const shipping = idOf(order.partner_shipping_id);
  const note = vals.note ?? '';
  return {
    ...(vals.partner_shipping_id !== undefined &&
      vals.partner_shipping_id !== shipping && { partner_shipping_id: vals.partner_shipping_id }),
    ...(noteText(order.note) !== noteText(note) && {
      note: withPaymentPending(note, order.note.includes(PAYMENT_PENDING)),
    }),
  };
};
const saysHeader = (order: SaleOrder, wire: OdooOrderWire): boolean =>
  Object.keys(headerVals(order, wire)).length === 0;

interface Matched {
  /** Odoo's lines are those of the wire. */
  readonly same: boolean;
  /** Odoo's line for each line of the wire, in its order; as far as can be told when they are not the same. */
  readonly lines: readonly SaleOrderLine[];
  /** The rounding line that we booked, if there is one. */
  readonly rounding: SaleOrderLine | undefined;
  /** Lines that Odoo has and the wire has not. */
  readonly surplus: readonly SaleOrderLine[];
  /** Lines that the wire has and Odoo has not. */
  readonly missing: readonly SaleOrderLineVals[];
}

/** Finds Odoo's line for each line of the wire, whatever their order. */
const matchLines = (lines: readonly SaleOrderLine[], wire: OdooOrderWire): Matched => {
  const expected = wire.vals.order_line;
  const left = [...lines];
  const found: SaleOrderLine[] = [];
  const missing: SaleOrderLineVals[] = [];
  for (const [, , vals] of expected) {
    const index = left.findIndex((line) => sameLine(line, vals));
    const line = left[index];
    if (!line) {
      missing.push(vals);
      continue;
    }
    left.splice(index, 1);
    found.push(line);
  }
  const rounding = left.find((line) => isRounding(line, wire));
  const surplus = left.filter((line) => line !== rounding);
  if (missing.length === 0 && surplus.length === 0) {
    return { same: true, lines: found, rounding, surplus, missing };
  }
  return { same: false, lines: lines.length === expected.length ? lines : [], rounding, surplus, missing };
};

/**
 * What brings a confirmed order's lines to those of the wire: the line of a product is changed, what is left over is
 * set to zero (a confirmed order loses no line, Odoo refuses that), the rest is added.
 * @throws PermanentError TOO_LATE_IN_ERP
 */
const changeCommands = (
  held: HeldOrder,
  { surplus, missing }: Matched,
  destination: string,
): X2manyCommand[] => {
  if (isLocked(held.order)) throw tooLate(held, 'edited', 'locked', destination);
  const adding = [...missing];
  const changing = surplus.map((line): X2manyCommand => {
    const index = adding.findIndex((vals) => vals.product_id === idOf(line.product_id));
    const [vals] = index < 0 ? [] : adding.splice(index, 1);
    const quantity = vals?.product_uom_qty ?? 0;
    if (line.qty_delivered > quantity) throw tooLate(held, 'edited', 'delivered', destination);
    const isOtherPrice = vals !== undefined && !sameLine({ ...line, product_uom_qty: quantity }, vals);
    if (line.qty_invoiced > quantity || (line.qty_invoiced > 0 && isOtherPrice)) {
      throw tooLate(held, 'edited', 'invoiced', destination);
    }
    return [1, line.id, vals ?? { product_uom_qty: 0 }];
  });
  return [...changing, ...adding.map((vals): X2manyCommand => [0, 0, vals])];
};

const isRounding = (line: SaleOrderLine, wire: OdooOrderWire): boolean =>
  line.product_id !== false && line.product_id[0] === wire.rounding.productId && taxIds(line).length === 0;

/** The float that Odoo sends, as the decimal in its currency's unit that it stands for. */
const amountOf = (order: SaleOrder): Big => new Big(order.amount_total).round(6);
const currencyId = ({ currency_id }: SaleOrder) => idOf(currency_id);

/**
 * What makes the total right: one untaxed rounding line, made, changed or removed; undefined when it is right.
 * @throws PermanentError TOTAL_MISMATCH beyond tolerance, MISSING_SERVICE_PRODUCT
 */
const roundingCommand = (
  order: SaleOrder,
  matched: Matched,
  wire: OdooOrderWire,
): X2manyCommand | undefined => {
  const { rounding } = matched;
  const booked = new Big(rounding?.price_total ?? 0);
  const needed = roundTo(
    new Big(wire.expected.erpTotal).minus(amountOf(order)).plus(booked),
    new Big(wire.expected.currency.rounding),
  );
  if (needed.abs().gt(wire.expected.tolerance)) throw totalMismatch(order, matched, wire);
  if (needed.eq(booked)) return undefined;
  if (rounding) {
    if (needed.eq(0)) return isOpen(order) ? [2, rounding.id, 0] : [1, rounding.id, { product_uom_qty: 0 }];
    return [1, rounding.id, { product_uom_qty: 1, price_unit: needed.toNumber(), discount: 0 }];
  }
  const { productId, sku } = wire.rounding;
  if (productId === undefined) {
    throw new PermanentError('MISSING_SERVICE_PRODUCT', {
      purpose: 'rounding',
      sku,
      destination: wire.destination,
    });
  }
  return [
    0,
    0,
    {
      product_id: productId,
      name: 'Rounding',
      product_uom_qty: 1,
      price_unit: needed.toNumber(),
      discount: 0,
      [wire.taxField]: [[6, 0, []]],
    },
  ];
};

const roundingOf = (matched: Matched, wire: OdooOrderWire): Money => {
  const { code } = wire.expected.currency;
  return matched.rounding ? moneyRounded(String(matched.rounding.price_total), code) : zero(code);
};

const totalMismatch = (
  order: SaleOrder,
  matched: Matched,
  { expected, lines }: OdooOrderWire,
): PermanentError => {
  const { code } = expected.currency;
  const text = (amount: Big) => moneyText(moneyRounded(amount, code));
  const gaps = matched.lines
    .map((line, index) => ({ line: lines[index], gap: gapOf(line, lines[index]) }))
    .sort((a, b) => b.gap.cmp(a.gap));
  const worst = gaps[0]?.gap.gt(0) ? gaps[0].line?.label : undefined;
  return new PermanentError('TOTAL_MISMATCH', {
    ...(worst && { line: worst }),
    shop: moneyText(moneyFromDecimal(expected.total, code)),
    erp: text(amountOf(order)),
    difference: text(amountOf(order).minus(expected.erpTotal).abs()),
    tolerance: text(new Big(expected.tolerance)),
  });
};

const gapOf = (line: SaleOrderLine, expected: ExpectedLine | undefined): Big =>
  expected
    ? new Big(line.price_subtotal).plus(line.price_tax).minus(expected.net).minus(expected.tax).abs()
    : new Big(0);
