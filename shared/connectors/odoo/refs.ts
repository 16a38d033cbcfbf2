/** Odoo's ids for everything that one order names. Plain data: golden files and the shadow journal hold it. */
export interface OdooRefs {
  /** Connection id of the Odoo. */
  readonly destination: string;
  readonly companyId: number;
  /** The route names the company, so calls are limited to it. */
  readonly companyChosen: boolean;
  readonly currency: OdooCurrency;
  /** false: none on purpose, so that the customer's own pricelist cannot change the currency. */
  readonly pricelistId: number | false | undefined;
  readonly warehouseId?: number | undefined;
  readonly paymentTermId?: number | undefined;
  readonly customer: CustomerRefs;
  /** One entry per order line, in its order. */
  readonly lines: readonly { readonly components: readonly OdooComponent[] }[];
  /** Product per charge of the order, in its order; null where a free charge has none. */
  readonly charges: readonly (number | null)[];
  readonly discountProductId?: number | undefined;
  readonly rounding: { readonly productId?: number | undefined; readonly sku: string };
  /** What a refund that names no line is booked on; there when the order has refunds. */
  readonly fee?: { readonly productId?: number | undefined; readonly sku: string } | undefined;
  /** By the storefront's tax key. */
  readonly taxes: Readonly<Record<string, OdooTax>>;
  /** Taxes of lines that carry none in the shop: the row for key "none", usually nothing. */
  readonly noTax: readonly OdooTax[];
  /** Decimals of the precision "Product Price": Odoo rounds every unit price to them. */
  readonly priceDigits: number;
  readonly fields: {
    /** `tax_id` up to 18, `tax_ids` from 19. */
    readonly taxes: 'tax_id' | 'tax_ids';
    readonly commitmentDate: boolean;
  };
  readonly warnings: readonly string[];
}

export interface OdooCurrency {
  readonly id: number;
  /** ISO 4217. */
  readonly code: string;
  /** Odoo's rounding unit as a decimal string: "0.01", "1" (TWD), "0.001" (KWD). */
  readonly rounding: string;
}

/** Absent ids: nothing may be written in shadow mode, and the customer is not there yet. */
export interface CustomerRefs {
  readonly partnerId?: number | undefined;
  readonly invoiceId?: number | undefined;
  readonly shippingId?: number | undefined;
}

export interface OdooComponent {
  readonly productId: number;
  /** SKU in Odoo; differs from the line's own when a mapping row leads here. */
  readonly sku: string;
  /** Pieces per piece sold. */
  readonly quantity: number;
  /** Share of the line's price, relative to the other components. */
  readonly share: number;
}

export interface OdooTax {
  readonly id: number;
  /** The tax is part of the price: unit prices on it are gross. */
  readonly included: boolean;
  /** An amount per piece, whatever the price: a discount does not lower it. */
  readonly fixed: boolean;
}
