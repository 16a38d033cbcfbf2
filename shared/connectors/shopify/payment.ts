import type { Money } from '../../core/money.ts';
import { optionals } from '../../core/optionals.ts';
import { utcMoment } from '../../core/utc.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';
import type { ShopifySettings } from './manifest.ts';
import { payBacks } from './plan.ts';
import type { ShOrder, ShRefund, ShTransaction } from './wire.ts';

type Payment = OrderChangedV1['payment'];

/** Shopify's name of payments by gift card, in gateways and transactions. */
export const GIFT_CARD = 'gift_card';

/** `financial_status` of orders; `authorized` is the connection's to say. */
const STATE: Readonly<Record<string, Payment['state']>> = {
  pending: 'pending',
  paid: 'paid',
  partially_paid: 'partially-paid',
  partially_refunded: 'partially-refunded',
  refunded: 'refunded',
  voided: 'failed',
  expired: 'failed',
};

/**
 * Manual payment methods by the names that Shopify proposes (admin, Settings, Payments), in lower case. Merchants
 * may name theirs otherwise: setting `paymentKinds`. "manual" is an order that staff marked as paid.
 */
const KIND: Readonly<Record<string, Payment['kind']>> = {
  'cash on delivery (cod)': 'cash-on-delivery',
  'cash on delivery': 'cash-on-delivery',
  cash_on_delivery: 'cash-on-delivery',
  cod: 'cash-on-delivery',
  'bank deposit': 'bank-transfer',
  bank_deposit: 'bank-transfer',
  'bank transfer': 'bank-transfer',
  bank_transfer: 'bank-transfer',
  'money order': 'bank-transfer',
  manual: 'other',
  cash: 'other',
  custom: 'other',
};

/** Payment providers have handles; manual methods have the names that people gave them. */
const HANDLE = /^[a-z0-9_]+$/;

/** The longest word of the shop's own that a warning repeats. */
const WORD_CHARS = 60;

/** How the order is paid; `total` as the event states it. */
export const paymentOf = (
  wire: ShOrder,
  total: Money,
  settings: ShopifySettings,
  warnings: string[],
): Payment => {
  const gateways = [...new Set(wire.payment_gateway_names)];
  const gateway = gateways.find((name) => name !== GIFT_CARD) ?? gateways[0];
  const terms = wire.payment_terms?.payment_terms_name;
  const state = stateOf(wire.financial_status, settings, warnings);
  const kind = kindOf(gateway, terms, total, settings);
  if (kind === undefined && wire.financial_status === 'pending' && gateway && !HANDLE.test(gateway)) {
    const name = gateway.slice(0, WORD_CHARS);
    warnings.push(`payment by "${name}" is pending; if it is a manual method, name it in "paymentKinds"`);
  }
  const paid = wire.transactions.filter(isPayment);
  const main = paid.find((transaction) => transaction.gateway !== GIFT_CARD) ?? paid[0];
  return {
    state,
    kind: kind ?? 'online',
    method: gateway ?? (terms ? 'payment_terms' : ''),
    ...optionals({
      title: gateway ? undefined : terms,
      reference: main?.payment_id,
      paidAt: main && utcMoment(main.processed_at),
    }),
  };
};

/** Money that came in: neither an authorisation nor a refund. */
export const isPayment = ({ kind, status }: ShTransaction): boolean =>
  ['sale', 'capture'].includes(kind.toLowerCase()) && status.toLowerCase() === 'success';

/**
 * The transactions that brought money other than gift cards; undefined: the wire names no transactions, as webhooks do, or
 * as many as are read at most, and there may be more.
 */
export const capturesIn = ({
  transactions,
}: ShOrder): readonly { readonly index: number; readonly transaction: ShTransaction }[] | undefined =>
  transactions.length === 0 || transactions.length >= MOST_TRANSACTIONS
    ? undefined
    : transactions
        .map((transaction, index) => ({ index, transaction }))
        .filter(({ transaction }) => isPayment(transaction) && transaction.gateway !== GIFT_CARD);

/** `documents.ts` asks for no more. */
export const MOST_TRANSACTIONS = 20;

/** Each capture by itself; `amounts` are theirs. */
export const paymentsOf = (
  wire: ShOrder,
  method: string,
  amounts: readonly Money[] | undefined,
): OrderChangedV1['payments'] =>
  amounts &&
  capturesIn(wire)?.flatMap(({ index, transaction }, n) => {
    const amount = amounts[n];
    return amount && amount.minor > 0
      ? [
          {
            id: transaction.id ?? `transaction-${index + 1}`,
            amount,
            method: transaction.gateway || method,
            ...optionals({
              reference: transaction.payment_id,
              paidAt: utcMoment(transaction.processed_at),
            }),
          },
        ]
      : [];
  });

/** How a refund was paid, where that is one way and another than the order's: a gift card, store credit. */
export const paidBackBy = (refund: ShRefund, method: string): { readonly method: string } | undefined => {
  const [gateway, ...others] = new Set(paidBack(refund).map((transaction) => transaction.gateway));
  return gateway && others.length === 0 && gateway !== method ? { method: gateway } : undefined;
};

export const hasPaidBack = (refund: ShRefund): boolean => paidBack(refund).length > 0;

const paidBack = (refund: ShRefund): readonly ShTransaction[] =>
  payBacks(refund).filter(({ status }) => status.toLowerCase() === 'success');

const stateOf = (word: string, settings: ShopifySettings, warnings: string[]): Payment['state'] => {
  if (word === 'authorized') return settings.authorized;
  const state = Object.hasOwn(STATE, word) ? STATE[word] : undefined;
  if (!state) warnings.push(`financial_status "${word.slice(0, WORD_CHARS)}" is not known`);
  return state ?? 'unknown';
};

/** undefined: a gateway that is no manual method, as far as we know. */
const kindOf = (
  gateway: string | undefined,
  terms: string | undefined,
  total: Money,
  settings: ShopifySettings,
): Payment['kind'] | undefined => {
  if (total.minor === 0) return 'free';
  // On account: the invoice is paid later, by transfer as a rule.
  if (gateway === undefined) return terms ? 'bank-transfer' : 'other';
  if (Object.hasOwn(settings.paymentKinds, gateway)) return settings.paymentKinds[gateway];
  const word = gateway.trim().toLowerCase();
  return Object.hasOwn(KIND, word) ? KIND[word] : undefined;
};
