import Big from 'big.js';
import { roundTo } from '../../core/allocate.ts';
import { moneyText, moneyToDecimal } from '../../core/money.ts';
import type { Mapped, PaymentRequest } from '../contract.ts';
import { odooDatetime } from './orders.mapper.ts';
import type { OdooCurrency } from './refs.ts';
import type { OdooPaymentWire } from './wire.ts';

/** Odoo's ids for one payment. */
export interface OdooPaymentRefs {
  readonly destination: string;
  readonly companyId: number;
  /** The route names the company, so calls are limited to it. */
  readonly companyChosen: boolean;
  readonly journalId: number;
  /** Whoever the order is invoiced to; the company where that is a contact of one. */
  readonly partnerId: number;
  readonly currency: OdooCurrency;
  readonly fields: {
    /** `ref` up to 17, where a payment is a journal entry, too; `memo` from 18. */
    readonly memo: 'memo' | 'ref';
    readonly paymentReference: boolean;
  };
}

/** Parts of a memo: our reference first, by which the payment is found again. */
const SEPARATOR = ' | ';

/** What the memo says: our reference, the order as staff know it, and what the provider kept. */
const memoOf = ({ payment, document, reference }: PaymentRequest): string =>
  [reference, document.name, payment.fee && `fee ${moneyText(payment.fee)}`].filter(Boolean).join(SEPARATOR);

/** Memos that begin with this reference, as a pattern of `=ilike`; a superset of those that `isMemoOf` takes. */
export const memoPattern = (reference: string): string =>
  `${reference.replace(/[\\%_]/g, (c) => `\\${c}`)}${SEPARATOR}%`;

export const isMemoOf = (memo: string, reference: string): boolean =>
  memo === reference || memo.startsWith(`${reference}${SEPARATOR}`);

/** One `account.payment` of a customer: pure. Amounts are in Odoo's rounding unit, as those of the order. */
export const paymentToWire = (request: PaymentRequest, refs: OdooPaymentRefs): Mapped<OdooPaymentWire> => {
  const { payment } = request;
  const { destination, companyId, companyChosen, currency, fields } = refs;
  const exact = new Big(moneyToDecimal(payment.amount));
  const amount = roundTo(exact, new Big(currency.rounding));
  return {
    value: {
      destination,
      companyId,
      companyChosen,
      vals: {
        payment_type: payment.direction === 'in' ? 'inbound' : 'outbound',
        partner_type: 'customer',
        partner_id: refs.partnerId,
        amount: amount.toNumber(),
        currency_id: currency.id,
        journal_id: refs.journalId,
        ...(payment.at !== undefined && { date: odooDatetime(payment.at).slice(0, 10) }),
        [fields.memo]: memoOf(request),
        ...(payment.reference && fields.paymentReference && { payment_reference: payment.reference }),
      },
      expected: { amount: amount.toFixed(), currency: currency.code },
      lockedPeriod: request.route.lockedPeriod,
    },
    warnings: exact.eq(amount)
      ? []
      : [`Payment ${payment.id} of ${moneyText(payment.amount)} is booked as ${amount.toFixed()}.`],
  };
};
