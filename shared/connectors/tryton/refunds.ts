import Big from 'big.js';
import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText } from '../../core/money.ts';
import type { ErpRefunds } from '../contract.ts';
import type { TrytonCall } from './client.ts';
import { confirmSale } from './confirm-sale.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { Id, Text } from './json.ts';
import type { TrytonRefs } from './refs.ts';
import { refundToWire } from './refunds.mapper.ts';
import { roundingLine, totalMismatch } from './rounding.ts';
import { isCancelled, isOpen, nameOf, readSale, type Sale } from './sale.ts';
import type { TrytonRefundWire } from './wire.ts';

/**
 * Refunds as return sales, found again by their own reference and the sale they give back. Processing one makes the
 * draft of its credit note and, where pieces come back, the shipment that awaits them (observed on 6.0).
 */
export const trytonRefunds = (
  options: TrytonOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpRefunds<TrytonRefs, TrytonRefundWire> => {
  const { client, master, destination } = options;

  const reader = (id: number, call: TrytonCall) => async (): Promise<Sale> => {
    const sale = await readSale(client, id, call);
    if (sale && !isCancelled(sale)) return sale;
    const document = sale ? nameOf(sale) : `sale.sale ${id}`;
    throw new PermanentError('ERP_DOCUMENT_GONE', { destination, document });
  };

  return {
    toWire: refundToWire,

    find: async ({ reference, document, route }, { signal }) => {
      const company = await master.company(route.company, { signal });
      const domain = [
        ['reference', '=', reference],
        ['origin', '=', `sale.sale,${document.id}`],
        ['company', '=', company.id],
      ] as const;
      const query = { domain, fields: ['number'] };
      const found = await client.searchRead('sale.sale', query, Found, inCompany(signal, company.id));
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOf(options, found[0].id, found[0].number);
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        if (wire.values.party === undefined) {
          throw new RetryableError('CUSTOMER_UNRESOLVED', 'the refund was mapped without a customer');
        }
        const call = inCompany(signal, wire.companyId);
        const id = await client.create('sale.sale', wire.values, { what: 'create-credit-note' }, call);
        return documentOf(options, id, undefined);
      }),

    complete: (doc, wire, { signal }) =>
      forgetting(async () => {
        const call = inCompany(signal, wire.companyId);
        const id = Number(doc.id);
        const read = reader(id, call);
        let sale = await read();
        if (isOpen(sale)) {
          const line = roundingLine(given(sale), '0', wire);
          if (line) {
            if (sale.state !== 'draft') {
              const operation = { what: 'post-credit-note', document: nameOf(sale) } as const;
              await client.press('sale.sale', 'draft', [id], operation, call);
            }
            const lines = [['create', [{ ...line, quantity: -1 }]]];
            await client.write('sale.sale', [id], { lines }, { what: 'book-rounding' }, call);
            sale = await read();
          }
          if (!new Big(given(sale)).eq(wire.expected.erpTotal)) throw totalMismatch(given(sale), wire);
        }
        const confirmed = await confirmSale(options, sale, read, call);
        sale = confirmed.sale;
        const warnings = [...confirmed.warnings];
        const drafts = sale['invoices.'].filter(({ state }) => state === 'draft');
        if (wire.post && drafts.length > 0) {
          const operation = { what: 'post-credit-note', document: nameOf(sale) } as const;
          const ids = drafts.map((invoice) => invoice.id);
          await client.press('account.invoice', 'post', ids, operation, call);
          sale = await read();
        }
        const total = moneyRounded(given(sale), wire.expected.currency.code);
        if (!new Big(given(sale)).eq(wire.expected.erpTotal)) {
          // Confirmed by hand, perhaps with other lines: staff win, and are told.
          const shop = moneyText(moneyFromDecimal(wire.expected.total, wire.expected.currency.code));
          warnings.push(`${nameOf(sale)} gives back ${moneyText(total)}, the shop ${shop}.`);
        }
        return { ...documentOf(options, id, sale.number), total, warnings };
      }),
  };
};

/** A return costs less than nothing. */
const given = ({ total_amount }: Sale): string => new Big(total_amount).times(-1).toFixed();

const Found = z.looseObject({ id: Id, number: Text });
