import type { LineLabel } from '../../core/reasons.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { OdooCurrency } from './refs.ts';

/** `[0, 0, vals]` creates, `[1, id, vals]` changes, `[2, id, 0]` deletes, `[5, 0, 0]` removes all. */
export type X2manyCommand =
  | readonly [0, 0, SaleOrderLineVals]
  | readonly [1, number, Partial<SaleOrderLineVals>]
  | readonly [2, number, 0]
  | readonly [5, 0, 0];

export interface SaleOrderLineVals {
  readonly product_id: number;
  readonly name: string;
  readonly product_uom_qty: number;
  readonly price_unit: number;
  readonly discount: number;
  /** `[[6, 0, ids]]`, under the name that the version uses. */
  readonly tax_id?: readonly [readonly [6, 0, readonly number[]]];
  readonly tax_ids?: readonly [readonly [6, 0, readonly number[]]];
}

export interface SaleOrderVals {
  /** Absent in shadow mode while the customer does not exist. */
  readonly partner_id?: number;
  readonly partner_invoice_id?: number;
  readonly partner_shipping_id?: number;
  readonly client_order_ref: string;
  readonly origin: string;
  /** UTC, `YYYY-MM-DD HH:MM:SS`: Odoo refuses ISO 8601. */
  readonly date_order: string;
  readonly commitment_date?: string;
  readonly company_id: number;
  readonly pricelist_id?: number | false;
  readonly warehouse_id?: number;
  readonly payment_term_id?: number;
  readonly note?: string;
  readonly order_line: readonly (readonly [0, 0, SaleOrderLineVals])[];
}

/** What the shop charged for one line of the wire, to name the line with the largest gap. */
export interface ExpectedLine {
  readonly label: LineLabel;
  readonly net: string;
  readonly tax: string;
}

/** One order as Odoo takes it, and what the order must then look like. Plain data. */
export interface OdooOrderWire {
  readonly destination: string;
  readonly companyId: number;
  readonly companyChosen: boolean;
  readonly vals: SaleOrderVals;
  /** One entry per entry of `vals.order_line`. */
  readonly lines: readonly ExpectedLine[];
  readonly expected: {
    /** What the buyer pays, exact decimal. */
    readonly total: string;
    /** The same in Odoo's rounding unit: what Odoo must say. */
    readonly erpTotal: string;
    readonly currency: OdooCurrency;
    /** Largest difference that is booked as rounding. */
    readonly tolerance: string;
  };
  readonly rounding: { readonly productId?: number | undefined; readonly sku: string };
  readonly taxField: 'tax_id' | 'tax_ids';
}

export interface AccountMoveLineVals {
  readonly product_id?: number;
  readonly name: string;
  readonly quantity: number;
  readonly price_unit: number;
  readonly discount: number;
  readonly tax_ids: readonly [readonly [6, 0, readonly number[]]];
}

export interface AccountMoveVals {
  readonly move_type: 'out_refund';
  /** Absent in shadow mode while the customer does not exist. */
  readonly partner_id?: number;
  readonly partner_shipping_id?: number;
  readonly ref: string;
  readonly invoice_origin?: string;
  /** `YYYY-MM-DD`. */
  readonly invoice_date?: string;
  readonly company_id: number;
  readonly currency_id: number;
  readonly invoice_line_ids: readonly (readonly [0, 0, AccountMoveLineVals])[];
}

/** One credit note as Odoo takes it, and what it must then say. Plain data. */
export interface OdooRefundWire
  extends Pick<OdooOrderWire, 'destination' | 'companyId' | 'companyChosen' | 'expected' | 'rounding'> {
  readonly vals: AccountMoveVals;
  /** `sale.order`: who it is invoiced to gets the money back, whomever the shop's buyer is taken for. */
  readonly orderId: number;
  /** false: an accountant does. */
  readonly post: boolean;
  /** What becomes of it when the books are closed for its day. */
  readonly lockedPeriod: OrderRoute['lockedPeriod'];
}

export interface AccountPaymentVals {
  readonly payment_type: 'inbound' | 'outbound';
  readonly partner_type: 'customer';
  readonly partner_id: number;
  readonly amount: number;
  readonly currency_id: number;
  readonly journal_id: number;
  /** `YYYY-MM-DD`. Absent: the day on which it is written. */
  readonly date?: string;
  readonly memo?: string;
  readonly ref?: string;
  readonly payment_reference?: string;
}

/** One payment as Odoo takes it, and what it must then say. Plain data. */
export interface OdooPaymentWire extends Pick<OdooOrderWire, 'destination' | 'companyId' | 'companyChosen'> {
  readonly vals: AccountPaymentVals;
  readonly expected: {
    /** In Odoo's rounding unit, exact decimal. */
    readonly amount: string;
    /** ISO 4217. */
    readonly currency: string;
  };
  /** What becomes of it when the books are closed for its day. */
  readonly lockedPeriod: OrderRoute['lockedPeriod'];
}
