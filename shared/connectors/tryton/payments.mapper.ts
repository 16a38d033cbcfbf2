import Big from 'big.js';
import { roundTo } from '../../core/allocate.ts';
import { moneyText, moneyToDecimal } from '../../core/money.ts';
import type { Mapped, PaymentRequest } from '../contract.ts';
import { decimal } from './json.ts';
import { dayIn } from './orders.mapper.ts';
import type { TrytonCurrency } from './refs.ts';
import type { MoveLineValues, TrytonPaymentWire } from './wire.ts';

/** An account, and whether its lines name a party. */
export interface TrytonAccount {
  readonly id: number;
  readonly partyRequired: boolean;
}

/** Tryton's ids for one payment. */
export interface TrytonPaymentRefs {
  readonly destination: string;
  readonly companyId: number;
  readonly timeZone: string;
  readonly journalId: number;
  /** Of the payment method: its debit account for what comes in, its credit account for what goes out. */
  readonly money: TrytonAccount;
  readonly receivable: TrytonAccount;
  /** Whoever the sale is invoiced to. */
  readonly partyId: number;
  readonly currency: TrytonCurrency;
  /** The amount in the company's currency, by Tryton's own rate; undefined: that is the payment's. */
  readonly inCompanyCurrency: string | undefined;
  /** By Tryton's clock, ISO date: for what states no date itself. */
  readonly today: string;
}

/** Parts of a description: our reference first, by which the move is found again. */
const SEPARATOR = ' | ';

const descriptionOf = ({ payment, document, reference }: PaymentRequest): string =>
  [reference, document.name, payment.reference, payment.fee && `fee ${moneyText(payment.fee)}`]
    .filter(Boolean)
    .join(SEPARATOR);

/** Descriptions that begin with this reference, as a pattern of `ilike`; a superset of those that `isMoveOf` takes. */
export const movePattern = (reference: string): string =>
  `${reference.replace(/[\\%_]/g, (c) => `\\${c}`)}${SEPARATOR}%`;

export const isMoveOf = (description: string, reference: string): boolean =>
  description === reference || description.startsWith(`${reference}${SEPARATOR}`);

/** One `account.move` of money against the customer's receivable: pure. What `pay_invoice` of account_invoice writes. */
export const paymentToWire = (
  request: PaymentRequest,
  refs: TrytonPaymentRefs,
): Mapped<TrytonPaymentWire> => {
  const { payment } = request;
  const { money, receivable, currency, inCompanyCurrency } = refs;
  const exact = new Big(moneyToDecimal(payment.amount));
  const amount = roundTo(exact, new Big(currency.rounding));
  const booked = inCompanyCurrency ?? amount.toFixed();
  const line = (account: TrytonAccount, side: 'debit' | 'credit'): MoveLineValues => ({
    account: account.id,
    debit: decimal(side === 'debit' ? booked : '0'),
    credit: decimal(side === 'credit' ? booked : '0'),
    ...(account.partyRequired && { party: refs.partyId }),
    ...(inCompanyCurrency !== undefined && {
      second_currency: currency.id,
      amount_second_currency: decimal((side === 'debit' ? amount : amount.times(-1)).toFixed()),
    }),
  });
  const isIn = payment.direction === 'in';
  return {
    value: {
      destination: refs.destination,
      companyId: refs.companyId,
      values: {
        company: refs.companyId,
        journal: refs.journalId,
        description: descriptionOf(request),
        lines: [
          ['create', [line(money, isIn ? 'debit' : 'credit'), line(receivable, isIn ? 'credit' : 'debit')]],
        ],
      },
      day: payment.at === undefined ? refs.today : dayIn(refs.timeZone, payment.at),
      receivableId: receivable.id,
      expected: { amount: amount.toFixed(), currency: currency.code },
      lockedPeriod: request.route.lockedPeriod,
    },
    warnings: exact.eq(amount)
      ? []
      : [`Payment ${payment.id} of ${moneyText(payment.amount)} is booked as ${amount.toFixed()}.`],
  };
};
