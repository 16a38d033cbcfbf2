import { createHash } from 'node:crypto';
import Big from 'big.js';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import { moneyRounded, moneyText } from '../../core/money.ts';
import type { OrderChange, TooLate } from '../../core/reasons.ts';
import type { TrytonCall, TrytonClient } from './client.ts';
import { withPaymentPending } from './comment.ts';
import { Day, Decimal, Id, Text } from './json.ts';
import type { SaleLineValues, SaleValues } from './wire.ts';

const FIELDS = [
  'number',
  'state',
  'total_amount',
  'currency',
  'currency.code',
  'party',
  'invoice_address',
  'shipment_address',
  'comment',
  'shipment_state',
  'invoice_state',
  'shipments.state',
  'shipments.outgoing_moves',
  'invoices.state',
  'invoices.invoice_date',
  'invoices.accounting_date',
  'lines.type',
  'lines.product',
  'lines.quantity',
  'lines.unit',
  'lines.unit_price',
  'lines.amount',
  'lines.taxes',
  'lines.description',
] as const;

const SaleLine = z.looseObject({
  id: Id,
  type: z.string(),
  product: Id.nullable(),
  quantity: z.number().nullable(),
  unit: Id.nullable(),
  unit_price: Decimal.nullable(),
  amount: Decimal.nullable(),
  taxes: z.array(Id),
  description: Text,
});
export type SaleLine = z.infer<typeof SaleLine>;

const Sale = z.looseObject({
  id: Id,
  number: Text,
  state: z.string(),
  total_amount: Decimal,
  currency: Id,
  'currency.': z.looseObject({ code: z.string() }),
  party: Id,
  invoice_address: Id.nullable(),
  shipment_address: Id.nullable(),
  comment: Text,
  shipment_state: z.string(),
  invoice_state: z.string(),
  'shipments.': z.array(z.looseObject({ id: Id, state: z.string(), outgoing_moves: z.array(Id) })),
  'invoices.': z.array(
    z.looseObject({
      id: Id,
      state: z.string(),
      invoice_date: Day.nullable(),
      accounting_date: Day.nullable(),
    }),
  ),
  'lines.': z.array(SaleLine),
  'amendments.': z.array(z.looseObject({ id: Id, state: z.string(), description: Text })).optional(),
});

/** One `sale.sale` with its documents and lines, as Tryton tells it. */
export interface Sale extends z.infer<typeof Sale> {
  /** Without titles, subtotals and comments. */
  readonly lines: readonly SaleLine[];
}

/** undefined: Tryton has no such sale any more. `amendments`: the module is there, and they are read, too. */
export const readSale = async (
  client: TrytonClient,
  id: number,
  call: TrytonCall,
  amendments = false,
): Promise<Sale | undefined> => {
  const fields = [...FIELDS, ...(amendments ? ['amendments.state', 'amendments.description'] : [])];
  const [sale] = await client.searchRead('sale.sale', { domain: [['id', '=', id]], fields }, Sale, call);
  return sale && { ...sale, lines: sale['lines.'].filter(({ type }) => type === 'line') };
};

/** Nothing was made of it yet. */
export const isOpen = ({ state }: Sale): boolean => state === 'draft' || state === 'quotation';

/**
 * A processed sale cannot be cancelled in Tryton: it is done when all that was made of it is cancelled (observed on
 * 6.0), or when an amendment has left nothing of it; whoever did that. One of which nothing was ever made (methods
 * "manual") is no such sale.
 */
export const isCancelled = (sale: Sale): boolean => {
  if (sale.state !== 'done') return sale.state === 'cancelled';
  const documents = [...sale['shipments.'], ...sale['invoices.']];
  return documents.length > 0
    ? documents.every(({ state }) => state === 'cancelled')
    : liveLines(sale).length === 0;
};

export const nameOf = ({ id, number }: Pick<Sale, 'id' | 'number'>): string => number || `sale.sale ${id}`;

/** Lines that an edit has not set to zero. */
export const liveLines = ({ lines }: Sale): readonly SaleLine[] =>
  lines.filter(({ quantity }) => quantity !== 0);

/** What we write into a sale: lines, header, comment. Each may be changed by a write of its own. */
export interface SaleContent {
  readonly lines: string;
  readonly header: string;
  readonly comment: string;
}

export const contentOf = (sale: Sale): SaleContent => ({
  lines: digest(
    liveLines(sale)
      .map((line) => lineText(line))
      .sort(),
  ),
  header: digest([sale.currency, sale.party, sale.invoice_address, sale.shipment_address]),
  comment: digest(commentText(sale.comment)),
});

export const fingerprintOf = (sale: Sale): string => {
  const { lines, header, comment } = contentOf(sale);
  return `${lines}.${header}.${comment}`;
};

/** The parts of a fingerprint. */
export const contentIn = (fingerprint: string): SaleContent => {
  const [lines = '', header = '', comment = ''] = fingerprint.split('.');
  return { lines, header, comment };
};

/** Not the words that hold the warehouse back, which we change ourselves. */
export const commentText = (comment: string): string =>
  withPaymentPending(comment, false).replace(/\s+/g, ' ').trim();

export const saysHeader = (sale: Sale, values: SaleValues): boolean =>
  sale.currency === values.currency &&
  sale.party === values.party &&
  sale.invoice_address === values.invoice_address &&
  sale.shipment_address === values.shipment_address;

export const sameLine = (line: SaleLine, values: SaleLineValues): boolean =>
  lineText(line) === lineText({ ...values, unit_price: values.unit_price.decimal, taxes: taxesOf(values) });

export const taxesOf = ({ taxes }: SaleLineValues): number[] => [...(taxes[0]?.[1] ?? [])];

const lineText = (line: {
  readonly product: number | null;
  readonly quantity: number | null;
  readonly unit: number | null;
  readonly unit_price: string | null;
  readonly taxes: readonly number[];
}): string =>
  JSON.stringify([
    line.product,
    new Big(line.quantity ?? 0).round(6).toFixed(),
    line.unit,
    new Big(line.unit_price ?? 0).toFixed(),
    [...line.taxes].sort((a, b) => a - b),
  ]);

const digest = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);

/** Why what was made of the sale can no longer be taken back; undefined: it can. */
export const tooLateFor = (sale: Sale): TooLate | undefined => {
  const shipments = sale['shipments.'].map(({ state }) => state);
  if (shipments.includes('done')) return 'delivered';
  if (sale['invoices.'].some(({ state }) => state !== 'draft' && state !== 'cancelled')) return 'invoiced';
  // Picked, packed, on its way: the warehouse has begun.
  return shipments.every((state) => UNTOUCHED.has(state)) ? undefined : 'locked';
};

const UNTOUCHED: ReadonlySet<string> = new Set(['draft', 'waiting', 'assigned', 'cancelled']);

export const tooLate = (
  sale: Sale,
  change: OrderChange,
  because: TooLate,
  destination: string,
): PermanentError =>
  new PermanentError('TOO_LATE_IN_ERP', { change, document: nameOf(sale), destination, because });

/** `shop`: what the order costs in the shop, when that is known. */
export const editedInErp = (sale: Sale, destination: string, shop?: string): PermanentError =>
  new PermanentError('EDITED_IN_ERP', {
    document: nameOf(sale),
    destination,
    erp: moneyText(moneyRounded(sale.total_amount, sale['currency.'].code)),
    ...(shop !== undefined && { shop }),
  });
