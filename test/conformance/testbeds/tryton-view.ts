import type { FastifyRequest } from 'fastify';
import type { ErpOrder } from '../erp.suite.ts';

/** A `sale.sale` as Tryton itself tells it, read with these fields. */
export interface SaleRow {
  readonly id: number;
  readonly reference: string | null;
  readonly state: string;
  readonly origin: string | null;
  readonly comment: string | null;
  readonly sale_date: { readonly year: number; readonly month: number; readonly day: number } | null;
  readonly total_amount: { readonly decimal: string };
  readonly 'shipments.': readonly { readonly state: string }[];
  readonly 'invoices.': readonly { readonly state: string }[];
  readonly 'lines.': readonly {
    readonly product: number;
    readonly quantity: number;
    readonly unit_price: { readonly decimal: string };
  }[];
}

export const SALE_FIELDS = [
  'reference',
  'state',
  'origin',
  'comment',
  'sale_date',
  'total_amount',
  'shipments.state',
  'invoices.state',
  'lines.product',
  'lines.quantity',
  'lines.unit_price',
] as const;

const READS = ['search', 'search_read', 'search_count', 'read', 'fields_get', 'get_preferences', 'get_types'];

/** Whether a request changes something: not reads, logins and the session of a wizard. */
export const isWrite = (request: FastifyRequest): boolean => {
  const { method } = JSON.parse(String(request.body)) as { method: string };
  const verb = method.split('.').at(-1) ?? '';
  if (method.startsWith('wizard.')) return verb === 'execute';
  return method.startsWith('model.') && !READS.includes(verb);
};

/** Observed on Tryton 6.0: what it does not take, it says with HTTP 200. */
export const REFUSAL = {
  status: 200,
  body: JSON.stringify({ id: 1, error: ['UserError', ['A field is wrong.', '', null]] }),
};

export const orderOf = (sale: SaleRow): ErpOrder => {
  const documents = [...sale['shipments.'], ...sale['invoices.']];
  return {
    id: String(sale.id),
    reference: sale.reference ?? '',
    isConfirmed: !['draft', 'quotation', 'cancelled'].includes(sale.state),
    isCancelled:
      sale.state === 'cancelled' ||
      (sale.state === 'done' && documents.every(({ state }) => state === 'cancelled')),
    total: sale.total_amount.decimal,
    placedAt: placedAtOf(sale),
    lines: sale['lines.']
      .filter(({ quantity }) => quantity !== 0)
      .map(({ product, quantity, unit_price }) => `${product} ${quantity} ${Number(unit_price.decimal)}`)
      .sort(),
  };
};

/** A sale has a date only, in the company's time zone; the comment has the time. Nothing where they disagree. */
const placedAtOf = ({ comment, sale_date: date }: SaleRow): string => {
  const [, day, time] = /^Placed: (\S+) (\S+) UTC$/m.exec(comment ?? '') ?? [];
  if (!day || !date) return '';
  const iso = `${day}T${time}Z`;
  const local = new Date(Date.parse(iso) + 8 * 3_600_000).toISOString().slice(0, 10);
  const saleDate = new Date(Date.UTC(date.year, date.month - 1, date.day)).toISOString().slice(0, 10);
  return local === saleDate ? iso : '';
};

export const creditNoteOf = (sale: SaleRow) => ({
  id: String(sale.id),
  reference: sale.reference ?? '',
  total: String(0 - Number(sale.total_amount.decimal)),
  isPosted:
    sale['invoices.'].length > 0 &&
    sale['invoices.'].every(({ state }) => state === 'posted' || state === 'paid'),
});

/** A move of money as Tryton itself tells it, read with these fields. */
export interface MoveRow {
  readonly id: number;
  readonly description: string | null;
  readonly state: string;
  readonly date: { readonly year: number; readonly month: number; readonly day: number };
  readonly 'lines.': readonly {
    readonly party: number | null;
    readonly debit: { readonly decimal: string };
    readonly credit: { readonly decimal: string };
  }[];
}

export const MOVE_FIELDS = [
  'description',
  'state',
  'date',
  'lines.party',
  'lines.debit',
  'lines.credit',
] as const;

export const paymentOf = ({ id, description, state, date, 'lines.': lines }: MoveRow) => {
  const ofCustomer = lines.find(({ party }) => party !== null);
  const credit = Number(ofCustomer?.credit.decimal);
  return {
    id: String(id),
    text: description ?? '',
    direction: credit > 0 ? ('in' as const) : ('out' as const),
    amount: credit || Number(ofCustomer?.debit.decimal),
    day: new Date(Date.UTC(date.year, date.month - 1, date.day)).toISOString().slice(0, 10),
    isPosted: state === 'posted',
  };
};
