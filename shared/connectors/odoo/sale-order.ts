import { createHash } from 'node:crypto';
import Big from 'big.js';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import { moneyRounded, moneyText } from '../../core/money.ts';
import type { OrderChange, TooLate } from '../../core/reasons.ts';
import type { OdooCall, OdooClient } from './client.ts';
import { Many2one, type MasterData } from './master-data.ts';
import { withPaymentPending } from './note.ts';
import type { SaleOrderLineVals } from './wire.ts';

/** One `sale.order` with its lines, as Odoo tells it. */
export interface HeldOrder {
  readonly order: SaleOrder;
  /** Without sections and notes, which carry no amount, and without lines that an edit has set to zero. */
  readonly lines: readonly SaleOrderLine[];
}

/** undefined: Odoo has no such order any more. */
export const readHeld = async (
  client: OdooClient,
  master: MasterData,
  id: number,
  call: OdooCall,
): Promise<HeldOrder | undefined> => {
  const { locked } = await master.fields('sale.order', VERSIONED_ORDER_FIELDS, call);
  const known = await master.fields('sale.order.line', VERSIONED_LINE_FIELDS, call);
  const [order] = await client.read(
    'sale.order',
    [id],
    [...ORDER_FIELDS, ...(locked ? ['locked'] : [])],
    SaleOrder,
    call,
  );
  if (!order) return undefined;
  const lines = await client.searchRead(
    'sale.order.line',
    {
      domain: [['order_id', '=', id]],
      fields: [...LINE_FIELDS, ...VERSIONED_LINE_FIELDS.filter((name) => known[name])],
      order: 'sequence asc, id asc',
    },
    SaleOrderLine,
    call,
  );
  return {
    order,
    lines: lines.filter(
      ({ display_type, product_uom_qty }) => !display_type && (isOpen(order) || product_uom_qty !== 0),
    ),
  };
};

/** `done` is a locked order up to 16. Approval modules add states of their own: those are no draft any more. */
export const CONFIRMED: ReadonlySet<string> = new Set(['sale', 'done']);
export const isOpen = ({ state }: SaleOrder): boolean => state === 'draft' || state === 'sent';
export const isCancelled = ({ state }: SaleOrder): boolean => state === 'cancel';

/**
 * What we write into an order, as Odoo tells it: lines, delivery address, note. Not its state and not the words that
 * hold the warehouse back, which we change ourselves.
 */
export const fingerprintOf = ({ order, lines }: HeldOrder): string => {
  const content = [
    idOf(order.currency_id),
    idOf(order.partner_shipping_id),
    noteText(order.note),
    lines
      .map((line) => [
        idOf(line.product_id),
        decimal(line.product_uom_qty),
        decimal(line.price_unit),
        decimal(line.discount),
        taxIds(line),
      ])
      .map((line) => JSON.stringify(line))
      .sort(),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
};

/** Words only: Odoo's editor and sanitiser write the same words in other markup. */
export const noteText = (html: string): string =>
  withPaymentPending(html, false)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** Why the order can no longer be taken back; undefined: it can. */
export const tooLateToCancel = ({ order, lines }: HeldOrder): TooLate | undefined => {
  if (lines.some(({ qty_delivered }) => qty_delivered > 0)) return 'delivered';
  if (lines.some(({ qty_invoiced }) => qty_invoiced > 0)) return 'invoiced';
  return isLocked(order) ? 'locked' : undefined;
};

export const isLocked = ({ locked, state }: SaleOrder): boolean => locked === true || state === 'done';

export const tooLate = (
  { order }: HeldOrder,
  change: OrderChange,
  because: TooLate,
  destination: string,
): PermanentError =>
  new PermanentError('TOO_LATE_IN_ERP', { change, document: order.name, destination, because });

/** `shop`: what the order costs in the shop, when that is known. */
export const editedInErp = ({ order }: HeldOrder, destination: string, shop?: string): PermanentError => {
  const currency = order.currency_id ? String(order.currency_id[1]) : '';
  const total = new Big(order.amount_total).toFixed();
  return new PermanentError('EDITED_IN_ERP', {
    document: order.name,
    destination,
    erp: /^[A-Z]{3}$/.test(currency) ? moneyText(moneyRounded(total, currency)) : total,
    ...(shop !== undefined && { shop }),
  });
};

export const sameLine = (line: SaleOrderLine, vals: SaleOrderLineVals): boolean =>
  idOf(line.product_id) === vals.product_id &&
  sameNumber(line.product_uom_qty, vals.product_uom_qty) &&
  sameNumber(line.price_unit, vals.price_unit) &&
  sameNumber(line.discount, vals.discount) &&
  String(taxIds(line)) === String((vals.tax_id ?? vals.tax_ids)?.[0]?.[2] ?? []);

export const idOf = (field: z.infer<typeof Many2one>): number | undefined =>
  field === false ? undefined : field[0];

/** Odoo stores floats. */
const sameNumber = (a: number, b: number): boolean => new Big(a).minus(b).abs().lt('0.0000001');
const decimal = (value: number): string => new Big(value).round(6).toFixed();

export const taxIds = (line: SaleOrderLine): readonly number[] =>
  [...(line.tax_id ?? line.tax_ids ?? [])].sort((a, b) => a - b);

const ORDER_FIELDS = [
  'name',
  'state',
  'amount_total',
  'currency_id',
  'date_order',
  'note',
  'partner_shipping_id',
] as const;
const LINE_FIELDS = [
  'product_id',
  'product_uom_qty',
  'price_unit',
  'discount',
  'price_subtotal',
  'price_tax',
  'price_total',
  'display_type',
  'qty_delivered',
  'qty_invoiced',
] as const;
/** Not in every version: `locked` from 17, the taxes under two names, the date with the module sale. */
export const VERSIONED_ORDER_FIELDS = ['commitment_date', 'locked'] as const;
export const VERSIONED_LINE_FIELDS = ['tax_id', 'tax_ids'] as const;

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const SaleOrder = z.looseObject({
  id: z.int(),
  name: text,
  state: z.string(),
  amount_total: z.number(),
  currency_id: Many2one,
  date_order: text,
  note: text,
  partner_shipping_id: Many2one,
  locked: z.boolean().optional(),
});
export type SaleOrder = z.infer<typeof SaleOrder>;
const SaleOrderLine = z.looseObject({
  id: z.int(),
  product_id: Many2one,
  product_uom_qty: z.number(),
  price_unit: z.number(),
  discount: z.number(),
  price_subtotal: z.number(),
  price_tax: z.number(),
  price_total: z.number(),
  display_type: z.union([z.string(), z.literal(false)]),
  tax_id: z.array(z.int()).optional(),
  tax_ids: z.array(z.int()).optional(),
  qty_delivered: z.number().default(0),
  qty_invoiced: z.number().default(0),
});
export type SaleOrderLine = z.infer<typeof SaleOrderLine>;
