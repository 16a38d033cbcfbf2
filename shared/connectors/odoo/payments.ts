import Big from 'big.js';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText } from '../../core/money.ts';
import type { ErpPayments } from '../contract.ts';
import { journalOf } from '../order-parts.ts';
import type { Domain, OdooCall } from './client.ts';
import { callOf, documentOf, inCompany, type OdooOrdersOptions } from './connection.ts';
import { bookableDay } from './locked-period.ts';
import { Many2one } from './master-data.ts';
import { isMemoOf, memoPattern, type OdooPaymentRefs, paymentToWire } from './payments.mapper.ts';
import { idOf } from './sale-order.ts';
import type { OdooPaymentWire } from './wire.ts';

/**
 * Payments as `account.payment` of the customer, found again by the memo (`ref` up to 17, where a payment inherits from its
 * journal entry; `memo` from 18: odoo/odoo, addons/account). Community links a payment to invoices and to no order: what
 * connects them is the customer and the memo, which names the order. The API user needs the right to make invoices.
 */
export const odooPayments = (
  { client, master, destination, url }: OdooOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpPayments<OdooPaymentRefs, OdooPaymentWire> => {
  const memoField = async (call: OdooCall): Promise<'memo' | 'ref'> =>
    (await master.fields('account.payment', VERSIONED, call))['memo'] ? 'memo' : 'ref';

  const read = async (id: number, call: OdooCall): Promise<Payment> => {
    const [payment] = await client.read('account.payment', [id], FIELDS, Payment, call);
    if (payment && !GONE.has(payment.state)) return payment;
    const document = payment?.name || `account.payment ${id}`;
    throw new PermanentError('ERP_DOCUMENT_GONE', { destination, document });
  };

  const bookable = (
    { companyId, lockedPeriod }: OdooPaymentWire,
    day: string,
    call: OdooCall,
  ): Promise<string> => {
    const entry = { what: 'payment', companyId, day, isSale: false, isTaxed: false } as const;
    return bookableDay({ client, master, destination }, entry, lockedPeriod, call);
  };

  return {
    resolve: ({ order, payment, document, route }, { signal, mappings }) =>
      forgetting(async () => {
        const company = await master.company(route.company, { signal });
        const call = inCompany(signal, route.company === undefined ? undefined : company.id);
        const journal = await journalOf(mappings, order.source, destination, payment.method);
        const journalId = await master.journal(journal, company, call);
        const [sale] = await client.read('sale.order', [Number(document.id)], INVOICED, Invoiced, call);
        const invoiced = sale && idOf(sale.partner_invoice_id);
        if (invoiced === undefined) {
          const gone = document.name ?? `sale.order ${document.id}`;
          throw new PermanentError('ERP_DOCUMENT_GONE', { destination, document: gone });
        }
        const [partner] = await client.read('res.partner', [invoiced], COMMERCIAL, Commercial, call);
        const known = await master.fields('account.payment', VERSIONED, call);
        return {
          destination,
          companyId: company.id,
          companyChosen: route.company !== undefined,
          journalId,
          partnerId: (partner && idOf(partner.commercial_partner_id)) ?? invoiced,
          currency: await master.currency(payment.amount.currency, call),
          fields: {
            memo: await memoField(call),
            paymentReference: known['payment_reference'] !== undefined,
          },
        };
      }),

    toWire: paymentToWire,

    find: async ({ reference, route }, { signal }) => {
      const company =
        route.company === undefined ? undefined : await master.company(route.company, { signal });
      const call = inCompany(signal, company?.id);
      const memo = await memoField(call);
      const domain: Domain = [
        ...(company ? [['company_id', '=', company.id] as const] : []),
        '|',
        [memo, '=', reference],
        [memo, '=ilike', memoPattern(reference)],
      ];
      const query = { domain, fields: ['name', memo], order: 'id asc' };
      const all = await client.searchRead('account.payment', query, Found, call);
      const found = all.filter((each) => isMemoOf(each.memo ?? each.ref ?? '', reference));
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOf(url, 'account.payment', found[0].id, nameOf(found[0]));
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        const call = callOf(wire, signal);
        const { date: moved } = wire.vals;
        // Before anything is written: what is parked leaves nothing behind in a period that is closed.
        const date = moved === undefined ? undefined : await bookable(wire, moved, call);
        const vals = date === undefined ? wire.vals : { ...wire.vals, date };
        const operation = { what: 'create-payment' } as const;
        const id = await client.create('account.payment', vals, operation, call);
        return documentOf(url, 'account.payment', id, undefined);
      }),

    complete: (doc, wire, { signal }) =>
      forgetting(async () => {
        const call = callOf(wire, signal);
        const id = Number(doc.id);
        let payment = await read(id, call);
        if (payment.state === 'draft') {
          const document = nameOf(payment) ?? `account.payment ${id}`;
          const operation = { what: 'post-payment', document } as const;
          const date = await bookable(wire, payment.date, call);
          if (date !== payment.date) await client.write('account.payment', [id], { date }, operation, call);
          await client.act('account.payment', 'action_post', [id], operation, call);
          payment = await read(id, call);
        }
        const { amount: expected, currency } = wire.expected;
        const amount = moneyRounded(String(payment.amount), currency);
        // Changed by hand before it was posted: staff win, and are told.
        const wanted = wire.vals.date ?? payment.date;
        const warnings = [
          ...(new Big(payment.amount).round(6).eq(expected)
            ? []
            : [
                `${nameOf(payment)} says ${moneyText(amount)}, the shop ${moneyText(moneyFromDecimal(expected, currency))}.`,
              ]),
          ...(payment.date === wanted
            ? []
            : [
                `The payment of ${wanted} is booked on ${payment.date}: the books were closed for its own day.`,
              ]),
        ];
        return { ...documentOf(url, 'account.payment', id, nameOf(payment)), amount, warnings };
      }),
  };
};

/** A draft is called "/" until 16, and nothing from 17 on. */
const nameOf = ({ name }: { readonly name: string }): string | undefined =>
  name === '' || name === '/' ? undefined : name;

/** `cancel` is the journal entry's word, up to 17. */
const GONE: ReadonlySet<string> = new Set(['cancel', 'canceled', 'rejected']);
const VERSIONED = ['memo', 'ref', 'payment_reference'] as const;
const INVOICED = ['partner_invoice_id'] as const;
const COMMERCIAL = ['commercial_partner_id'] as const;
const FIELDS = ['name', 'state', 'amount', 'date'] as const;
const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Invoiced = z.looseObject({ partner_invoice_id: Many2one });
const Commercial = z.looseObject({ commercial_partner_id: Many2one });
const Found = z.looseObject({ id: z.int(), name: text, memo: text.optional(), ref: text.optional() });
const Payment = z.looseObject({
  id: z.int(),
  name: text,
  state: z.string(),
  amount: z.number(),
  date: z.string(),
});
type Payment = z.infer<typeof Payment>;
