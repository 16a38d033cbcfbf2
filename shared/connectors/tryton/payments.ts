import Big from 'big.js';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText, moneyToDecimal } from '../../core/money.ts';
import type { ErpPayments } from '../contract.ts';
import { journalOf } from '../order-parts.ts';
import type { Domain, TrytonCall } from './client.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { Day, Decimal, decimal, Flag, Id, Text, trytonDate } from './json.ts';
import { bookableDay, today } from './locked-period.ts';
import {
  isMoveOf,
  movePattern,
  paymentToWire,
  type TrytonAccount,
  type TrytonPaymentRefs,
} from './payments.mapper.ts';
import type { TrytonPaymentWire } from './wire.ts';

/**
 * Payments as posted moves of a payment method of the module account_invoice (which the module sale brings along): money
 * against the customer's receivable, found again by the description. A move knows sales not as its origin: what connects
 * them is the party and the description, which names the sale; accountants reconcile it with the invoice.
 */
export const trytonPayments = (
  options: TrytonOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpPayments<TrytonPaymentRefs, TrytonPaymentWire> => {
  const { client, master, destination } = options;
  const documentOfMove = (id: number, name: string | undefined) =>
    documentOf(options, id, name, 'account.move');

  const one = async <T>(
    model: string,
    id: number,
    fields: readonly string[],
    row: z.ZodType<T>,
    call: TrytonCall,
  ): Promise<T | undefined> =>
    (await client.searchRead(model, { domain: [['id', '=', id]], fields }, row, call))[0];

  const account = async (id: number, call: TrytonCall): Promise<TrytonAccount> => {
    const found = await one('account.account', id, ['party_required'], Account, call);
    return { id, partyRequired: found?.party_required ?? false };
  };

  /** The party's own, or the company's for all. @throws PermanentError ERP_REFUSED neither is set */
  const receivableOf = async (partyId: number, call: TrytonCall): Promise<TrytonAccount> => {
    const party = await one('party.party', partyId, ['account_receivable'], Receivable, call);
    const own = party?.account_receivable;
    if (own) return account(own, call);
    const configured = await client.ask(
      'account.configuration',
      'read',
      [[1], ['default_account_receivable']],
      z.array(Configuration),
      call,
    );
    const fallback = configured[0]?.default_account_receivable;
    if (fallback) return account(fallback, call);
    throw new PermanentError('ERP_REFUSED', {
      destination,
      operation: { what: 'create-payment' },
      error: { why: 'words', words: 'no receivable account is configured' },
    });
  };

  const read = async (id: number, call: TrytonCall): Promise<Move> => {
    const move = await one('account.move', id, MOVE_FIELDS, Move, call);
    if (move) return move;
    throw new PermanentError('ERP_DOCUMENT_GONE', { destination, document: `account.move ${id}` });
  };

  return {
    resolve: ({ order, payment, document, route }, { signal, mappings }) =>
      forgetting(async () => {
        const company = await master.company(route.company, { signal });
        const call = inCompany(signal, company.id);
        const journal = await journalOf(mappings, order.source, destination, payment.method);
        const method = await master.paymentMethod(journal, company, call);
        const sale = await one('sale.sale', Number(document.id), SALE_FIELDS, Sale, call);
        if (!sale) {
          const gone = document.name ?? `sale.sale ${document.id}`;
          throw new PermanentError('ERP_DOCUMENT_GONE', { destination, document: gone });
        }
        const partyId = sale.invoice_party ?? sale.party;
        const currency = await master.currency(payment.amount.currency, call);
        const own = await one('company.company', company.id, ['currency'], Company, call);
        const clock = await today(client, call);
        const at = payment.at?.slice(0, 10) ?? clock;
        const inCompanyCurrency =
          own?.currency === currency.id || own === undefined
            ? undefined
            : await client.ask(
                'currency.currency',
                'compute',
                [currency.id, decimal(moneyToDecimal(payment.amount)), own.currency],
                Decimal,
                { ...call, context: { ...call.context, date: trytonDate(at) } },
              );
        return {
          destination,
          companyId: company.id,
          timeZone: company.timeZone,
          journalId: method.journal,
          money: await account(
            payment.direction === 'in' ? method.debit_account : method.credit_account,
            call,
          ),
          receivable: await receivableOf(partyId, call),
          partyId,
          currency,
          inCompanyCurrency,
          today: clock,
        };
      }),

    toWire: paymentToWire,

    find: async ({ reference, route }, { signal }) => {
      const company = await master.company(route.company, { signal });
      const domain: Domain = [
        ['company', '=', company.id],
        ['OR', ['description', '=', reference], ['description', 'ilike', movePattern(reference)]],
      ];
      const query = { domain, fields: ['number', 'post_number', 'description'] };
      const all = await client.searchRead('account.move', query, Found, inCompany(signal, company.id));
      const found = all.filter(({ description }) => isMoveOf(description, reference));
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOfMove(found[0].id, nameOf(found[0]));
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        const { companyId } = wire;
        const call = inCompany(signal, companyId);
        const entry = { what: 'payment', companyId, journalId: wire.values.journal, day: wire.day } as const;
        const day = await bookableDay({ client, destination }, entry, wire.lockedPeriod, call);
        const period = await periodOf(companyId, day, call);
        const values = { ...wire.values, date: trytonDate(day), ...(period && { period }) };
        const id = await client.create('account.move', values, { what: 'create-payment' }, call);
        return documentOfMove(id, undefined);
      }),

    complete: (doc, wire, { signal }) =>
      forgetting(async () => {
        const call = inCompany(signal, wire.companyId);
        const id = Number(doc.id);
        let move = await read(id, call);
        if (move.state === 'draft') {
          const operation = { what: 'post-payment', document: nameOf(move) ?? `account.move ${id}` } as const;
          await client.press('account.move', 'post', [id], operation, call);
          move = await read(id, call);
        }
        const name = nameOf(move);
        const { amount: expected, currency } = wire.expected;
        const amount = amountOf(move, wire);
        const warnings = [
          // Changed by hand before it was posted: staff win, and are told.
          ...(amount.eq(expected)
            ? []
            : [
                `${name} says ${moneyText(moneyRounded(amount, currency))}, the shop ${moneyText(moneyFromDecimal(expected, currency))}.`,
              ]),
          ...(move.date === wire.day
            ? []
            : [
                `The payment of ${wire.day} is booked on ${move.date}: the books were closed for its own day.`,
              ]),
        ];
        return { ...documentOfMove(id, name), amount: moneyRounded(amount, currency), warnings };
      }),
  };

  /** A move names the period of its date; undefined: Tryton says what is wrong. */
  async function periodOf(companyId: number, day: string, call: TrytonCall): Promise<number | undefined> {
    const domain: Domain = [
      ['fiscalyear.company', '=', companyId],
      ['type', '=', 'standard'],
      ['start_date', '<=', trytonDate(day)],
      ['end_date', '>=', trytonDate(day)],
    ];
    const query = { domain, fields: ['name'], limit: 1 };
    return (await client.searchRead('account.period', query, Row, call))[0]?.id;
  }
};

/** What it says of the customer, in the currency of the payment. */
const amountOf = (move: Move, { receivableId }: TrytonPaymentWire): Big => {
  let total = new Big(0);
  for (const { account, debit, credit, amount_second_currency: second } of move['lines.']) {
    if (account === receivableId) total = total.plus(second ?? new Big(debit).minus(credit));
  }
  return total.abs();
};

/** Its number in the books from when it is posted on, the journal's own before. */
const nameOf = ({ post_number, number }: Pick<Move, 'post_number' | 'number'>): string | undefined =>
  post_number || number || undefined;

const SALE_FIELDS = ['party', 'invoice_party'] as const;
const MOVE_FIELDS = [
  'number',
  'post_number',
  'state',
  'date',
  'lines.account',
  'lines.debit',
  'lines.credit',
  'lines.amount_second_currency',
] as const;
const Row = z.looseObject({ id: Id });
const Account = z.looseObject({ party_required: Flag.nullish() });
const Receivable = z.looseObject({ account_receivable: Id.nullish() });
const Configuration = z.looseObject({ default_account_receivable: Id.nullish() });
const Company = z.looseObject({ currency: Id });
const Sale = z.looseObject({ party: Id, invoice_party: Id.nullish() });
const Found = z.looseObject({ id: Id, number: Text, post_number: Text, description: Text });
const Move = z.looseObject({
  id: Id,
  number: Text,
  post_number: Text,
  state: z.string(),
  date: Day,
  'lines.': z.array(
    z.looseObject({
      account: Id,
      debit: Decimal,
      credit: Decimal,
      amount_second_currency: Decimal.nullish(),
    }),
  ),
});
type Move = z.infer<typeof Move>;
