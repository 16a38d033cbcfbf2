import Big from 'big.js';
import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText } from '../../core/money.ts';
import type { ErpRefunds } from '../contract.ts';
import type { TrytonCall } from './client.ts';
import { confirmSale } from './confirm-sale.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { Day, Id, Text, trytonDate } from './json.ts';
import { bookableDay, today } from './locked-period.ts';
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
        if (wire.post) {
          for (const { id: draft } of drafts) {
            await postCreditNote(options, { id: draft, document: nameOf(sale) }, wire, call);
          }
          if (drafts.length > 0) sale = await read();
          warnings.push(...postponed(sale));
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

/**
 * Posts an invoice. Tryton dates it today, by its server's clock, and refuses what falls into a period that is closed, or
 * into none (account/period.py); nothing of it is written then.
 * @throws PermanentError PERIOD_LOCKED
 */
const postCreditNote = async (
  { client, destination }: TrytonOrdersOptions,
  note: { readonly id: number; readonly document: string },
  wire: TrytonRefundWire,
  call: TrytonCall,
): Promise<void> => {
  const operation = { what: 'post-credit-note', document: note.document } as const;
  const post = () => client.press('account.invoice', 'post', [note.id], operation, call);
  try {
    await post();
  } catch (refused) {
    if (!(refused instanceof PermanentError)) throw refused;
    const query = { domain: [['id', '=', note.id]], fields: INVOICE_FIELDS } as const;
    const [invoice] = await client.searchRead('account.invoice', query, Invoice, call);
    if (!invoice) throw refused;
    const day = invoice.accounting_date ?? invoice.invoice_date ?? (await today(client, call));
    const entry = {
      what: 'credit-note',
      companyId: wire.companyId,
      journalId: invoice.journal,
      day,
    } as const;
    const open = await bookableDay({ client, destination }, entry, wire.lockedPeriod, call);
    if (open === day) throw refused;
    const values = { accounting_date: trytonDate(open) };
    await client.write('account.invoice', [note.id], values, operation, call);
    await post();
  }
};

/** What is booked on another day than its own. */
const postponed = (sale: Sale): string[] =>
  sale['invoices.'].flatMap(({ invoice_date, accounting_date }) =>
    invoice_date && accounting_date && accounting_date !== invoice_date
      ? [
          `The credit note of ${nameOf(sale)}, dated ${invoice_date}, is booked on ${accounting_date}: the books were closed for its own day.`,
        ]
      : [],
  );

/** A return costs less than nothing. */
const given = ({ total_amount }: Sale): string => new Big(total_amount).times(-1).toFixed();

const Found = z.looseObject({ id: Id, number: Text });
const INVOICE_FIELDS = ['journal', 'invoice_date', 'accounting_date'] as const;
const Invoice = z.looseObject({
  journal: Id,
  invoice_date: Day.nullable(),
  accounting_date: Day.nullable(),
});
