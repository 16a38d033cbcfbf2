import type { LineLabel } from '../../core/reasons.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { TrytonDate, TrytonDecimal } from './json.ts';
import type { ServiceProduct, TrytonCurrency } from './refs.ts';

export interface SaleLineValues {
  readonly type: 'line';
  readonly product: number;
  readonly unit: number;
  readonly quantity: number;
  readonly unit_price: TrytonDecimal;
  readonly description: string;
  readonly taxes: readonly [] | readonly [readonly ['add', readonly number[]]];
}

export interface SaleValues {
  readonly company: number;
  /** Absent in shadow mode while the customer does not exist. */
  readonly party?: number;
  readonly invoice_address?: number;
  readonly shipment_address?: number;
  readonly reference: string;
  readonly description: string;
  readonly sale_date: TrytonDate;
  readonly shipping_date?: TrytonDate;
  readonly currency: number;
  readonly warehouse?: number;
  readonly payment_term?: number;
  readonly comment: string;
  readonly lines: readonly [readonly ['create', readonly SaleLineValues[]]];
}

/** What the shop charged for one line of the wire, to name the line with the largest gap. */
export interface ExpectedLine {
  readonly label: LineLabel;
  readonly net: string;
}

/** One order as Tryton takes it, and what the sale must then look like. Plain data. */
export interface TrytonOrderWire {
  readonly destination: string;
  readonly companyId: number;
  readonly values: SaleValues;
  /** One entry per line of `values`. */
  readonly lines: readonly ExpectedLine[];
  readonly expected: {
    /** What the buyer pays, exact decimal. */
    readonly total: string;
    /** The same in Tryton's rounding unit: what Tryton must say. */
    readonly erpTotal: string;
    readonly currency: TrytonCurrency;
    /** Largest difference that is booked as rounding. */
    readonly tolerance: string;
  };
  readonly rounding: ServiceProduct;
}

/** A refund as a sale of negative quantities, as Tryton's own wizard makes them. */
export interface ReturnValues extends Omit<SaleValues, 'shipping_date' | 'warehouse' | 'payment_term'> {
  /** `sale.sale,<id>`: what it gives back. */
  readonly origin: string;
  readonly invoice_method: 'order';
  /** manual: nothing comes back to the warehouse. */
  readonly shipment_method: 'order' | 'manual';
}

export interface TrytonRefundWire
  extends Pick<TrytonOrderWire, 'destination' | 'companyId' | 'expected' | 'rounding'> {
  readonly values: ReturnValues;
  /** Whether the credit note is posted, or left to an accountant. */
  readonly post: boolean;
  /** What becomes of it when the books are closed for the day on which it would be booked. */
  readonly lockedPeriod: OrderRoute['lockedPeriod'];
}

export interface MoveLineValues {
  readonly account: number;
  readonly debit: TrytonDecimal;
  readonly credit: TrytonDecimal;
  readonly party?: number;
  /** Where the payment is not in the company's currency; negative on the side of the credit. */
  readonly second_currency?: number;
  readonly amount_second_currency?: TrytonDecimal;
}

/** One payment as a move, and what it must then say. Date and period are those that are open when it is written. */
export interface TrytonPaymentWire extends Pick<TrytonOrderWire, 'destination' | 'companyId'> {
  readonly values: {
    readonly company: number;
    readonly journal: number;
    readonly description: string;
    readonly lines: readonly [readonly ['create', readonly MoveLineValues[]]];
  };
  /** ISO date, in the company's time zone. */
  readonly day: string;
  /** The customer's account. */
  readonly receivableId: number;
  readonly expected: {
    /** In Tryton's rounding unit, exact decimal. */
    readonly amount: string;
    /** ISO 4217. */
    readonly currency: string;
  };
  readonly lockedPeriod: OrderRoute['lockedPeriod'];
}
