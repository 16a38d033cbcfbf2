import Big from 'big.js';
import * as z from 'zod';
import { roundTo } from '../../core/allocate.ts';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText } from '../../core/money.ts';
import type { ErpRefunds } from '../contract.ts';
import type { OdooCall } from './client.ts';
import { callOf, documentOf, inCompany, type OdooOrdersOptions } from './connection.ts';
import { bookableDay } from './locked-period.ts';
import { Many2one } from './master-data.ts';
import type { OdooRefs } from './refs.ts';
import { refundToWire } from './refunds.mapper.ts';
import { idOf } from './sale-order.ts';
import type { OdooRefundWire } from './wire.ts';

/**
 * Refunds as credit notes: `account.move` of type `out_refund`, created directly and found again by `ref` (observed on
 * 18). The API user needs the right to make invoices.
 */
export const odooRefunds = (
  { client, master, destination, url }: OdooOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpRefunds<OdooRefs, OdooRefundWire> => {
  const read = async (id: number, call: OdooCall): Promise<Move> => {
    const [move] = await client.read('account.move', [id], MOVE_FIELDS, Move, call);
    if (move && move.state !== 'cancel') return move;
    throw new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: move?.name || `account.move ${id}`,
    });
  };

  /** A draft may lie in a closed period: an accountant decides what becomes of it. */
  const bookable = async (wire: OdooRefundWire, day: string, call: OdooCall): Promise<string> => {
    const { companyId, lockedPeriod, post, vals } = wire;
    if (!post && lockedPeriod === 'park') return day;
    const isTaxed = vals.invoice_line_ids.some(([, , { tax_ids }]) => tax_ids[0][2].length > 0);
    const entry = { what: 'credit-note', companyId, day, isSale: true, isTaxed } as const;
    return bookableDay({ client, master, destination }, entry, lockedPeriod, call);
  };

  return {
    toWire: refundToWire,

    find: async ({ reference, route }, { signal }) => {
      const company =
        route.company === undefined ? undefined : await master.company(route.company, { signal });
      const found = await client.searchRead(
        'account.move',
        {
          domain: [
            ['ref', '=', reference],
            ['move_type', '=', 'out_refund'],
            ...(company ? [['company_id', '=', company.id] as const] : []),
          ],
          fields: ['name'],
          order: 'id asc',
        },
        Named,
        inCompany(signal, company?.id),
      );
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOf(url, 'account.move', found[0].id, nameOf(found[0]));
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        if (wire.vals.partner_id === undefined) {
          throw new RetryableError('CUSTOMER_UNRESOLVED', 'the refund was mapped without a customer');
        }
        const call = callOf(wire, signal);
        const { invoice_date: refunded } = wire.vals;
        // Before anything is written: what is parked leaves nothing behind in a period that is closed.
        const day = refunded === undefined ? undefined : await bookable(wire, refunded, call);
        const [order] = await client.read('sale.order', [wire.orderId], INVOICED, Invoiced, call);
        const partnerId = order && idOf(order.partner_invoice_id);
        const shippingId = order && idOf(order.partner_shipping_id);
        const vals = {
          ...wire.vals,
          ...(day !== undefined && { invoice_date: day }),
          ...(partnerId !== undefined && { partner_id: partnerId }),
          ...(shippingId !== undefined && { partner_shipping_id: shippingId }),
        };
        const operation = { what: 'create-credit-note' } as const;
        const id = await client.create('account.move', vals, operation, call);
        return documentOf(url, 'account.move', id, undefined);
      }),

    complete: (doc, wire, { signal }) =>
      forgetting(async () => {
        const call = callOf(wire, signal);
        const id = Number(doc.id);
        let move = await read(id, call);
        const wanted = wire.vals.invoice_date ?? (move.invoice_date || move.date);
        if (move.state === 'draft') {
          const dated = move.invoice_date || move.date;
          const day = await bookable(wire, dated, call);
          if (day !== dated) {
            const document = nameOf(move) ?? `account.move ${id}`;
            const operation = { what: 'post-credit-note', document } as const;
            await client.write('account.move', [id], { invoice_date: day, date: day }, operation, call);
          }
          const gap = new Big(wire.expected.erpTotal).minus(amountOf(move));
          if (!gap.eq(0)) {
            const line = roundingLine(gap, move, wire);
            await client.write(
              'account.move',
              [id],
              { invoice_line_ids: [[0, 0, line]] },
              { what: 'book-rounding' },
              call,
            );
            move = await read(id, call);
          }
          if (!amountOf(move).eq(wire.expected.erpTotal)) throw mismatch(move, wire);
          if (wire.post) {
            const document = nameOf(move) ?? `account.move ${id}`;
            await client.act(
              'account.move',
              'action_post',
              [id],
              { what: 'post-credit-note', document },
              call,
            );
            move = await read(id, call);
          }
        }
        const total = moneyRounded(String(move.amount_total), wire.expected.currency.code);
        const warnings: string[] = [];
        if (!amountOf(move).eq(wire.expected.erpTotal)) {
          // Posted by hand, perhaps with other lines: staff win, and are told.
          warnings.push(`${nameOf(move)} gives back ${moneyText(total)}, the shop ${shopText(wire)}.`);
        }
        if (move.date !== wanted) {
          // Also when the day was chosen by staff, or by Odoo itself, because a lock was set in this moment.
          warnings.push(
            `${nameOf(move) ?? `account.move ${id}`} is booked on ${move.date}, because the books were closed for ${wanted}, or by hand.`,
          );
        }
        return { ...documentOf(url, 'account.move', id, nameOf(move)), total, warnings };
      }),
  };
};

/** @throws PermanentError TOTAL_MISMATCH, MISSING_SERVICE_PRODUCT */
const roundingLine = (gap: Big, move: Move, wire: OdooRefundWire) => {
  const { expected, rounding, destination } = wire;
  const needed = roundTo(gap, new Big(expected.currency.rounding));
  if (needed.abs().gt(expected.tolerance)) throw mismatch(move, wire);
  if (rounding.productId === undefined) {
    throw new PermanentError('MISSING_SERVICE_PRODUCT', {
      purpose: 'rounding',
      sku: rounding.sku,
      destination,
    });
  }
  return {
    product_id: rounding.productId,
    name: 'Rounding',
    quantity: 1,
    price_unit: needed.toNumber(),
    discount: 0,
    tax_ids: [[6, 0, []]],
  };
};

const mismatch = (move: Move, wire: OdooRefundWire): PermanentError => {
  const text = (amount: Big) => moneyText(moneyRounded(amount, wire.expected.currency.code));
  return new PermanentError('TOTAL_MISMATCH', {
    shop: shopText(wire),
    erp: text(amountOf(move)),
    difference: text(amountOf(move).minus(wire.expected.erpTotal).abs()),
    tolerance: text(new Big(wire.expected.tolerance)),
  });
};

const shopText = ({ expected }: OdooRefundWire): string =>
  moneyText(moneyFromDecimal(expected.total, expected.currency.code));

const amountOf = (move: Move): Big => new Big(move.amount_total).round(6);

/** A draft is called "/" until 16, and nothing from 17 on. */
const nameOf = ({ name }: { readonly name: string }): string | undefined =>
  name === '' || name === '/' ? undefined : name;

const INVOICED = ['partner_invoice_id', 'partner_shipping_id'] as const;
const MOVE_FIELDS = ['name', 'state', 'amount_total', 'invoice_date', 'date'] as const;
const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Invoiced = z.looseObject({ partner_invoice_id: Many2one, partner_shipping_id: Many2one });
const Named = z.looseObject({ id: z.int(), name: text });
const Move = z.looseObject({
  id: z.int(),
  name: text,
  state: z.string(),
  amount_total: z.number(),
  /** Empty until it is posted, where the shop states no day. */
  invoice_date: text,
  /** Of the books. */
  date: text,
});
type Move = z.infer<typeof Move>;
