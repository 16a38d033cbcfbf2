import type {
  OrderChangedV1,
  OrderCharge,
  OrderLine,
  OrderRefund,
  OrderTax,
} from '../events/order-changed.ts';
import { type Money, subtract, sum } from './money.ts';

/** A part that names what it was part of. */
type StatedPart =
  | {
      readonly kind: 'line';
      readonly line: OrderLine;
      /** Pieces; 0: money back, nothing returned. */
      readonly quantity: number;
      readonly total: Money;
      readonly taxes: readonly OrderTax[];
      /** undefined: the storefront does not say. */
      readonly restock: boolean | undefined;
    }
  | {
      readonly kind: 'charge';
      readonly charge: OrderCharge;
      readonly total: Money;
      readonly taxes: readonly OrderTax[];
    };

/** One part of a refund, with what it was part of. Amounts are positive and without tax. */
export type RefundPart =
  | StatedPart
  /** Given back, or kept back when negative, for no line in particular. Nobody says how much tax is in it. */
  | { readonly kind: 'amount'; readonly total: Money };

/**
 * What a refund is made of; the parts add up to `refund.total`. Pure.
 *
 * A part of a line that the order no longer has (an edit took it off since) counts as an amount.
 * @throws RangeError two currencies
 */
export const refundParts = (order: OrderChangedV1, refund: OrderRefund): readonly RefundPart[] => {
  const stated = [
    ...(refund.lines ?? []).flatMap(({ lineId, quantity, total, taxes, restock }): StatedPart[] => {
      const line = order.lines.find(({ id }) => id === lineId);
      return line ? [{ kind: 'line', line, quantity, total, taxes, restock }] : [];
    }),
    ...(refund.charges ?? []).flatMap(({ chargeId, total, taxes }): StatedPart[] => {
      const charge = order.charges.find(({ id }) => id === chargeId);
      return charge ? [{ kind: 'charge', charge, total, taxes }] : [];
    }),
  ];
  const rest = subtract(refund.total, sum(order.currency, stated.flatMap(amountsOf)));
  return rest.minor === 0 ? stated : [...stated, { kind: 'amount', total: rest }];
};

const amountsOf = ({ total, taxes }: StatedPart): readonly Money[] => [
  total,
  ...taxes.map(({ amount }) => amount),
];
