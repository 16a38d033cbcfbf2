/** Tryton's ids for everything that one order names. Plain data: golden files and the shadow journal hold it. */
export interface TrytonRefs {
  /** Connection id of the Tryton. */
  readonly destination: string;
  readonly company: TrytonCompany;
  readonly currency: TrytonCurrency;
  readonly warehouseId?: number | undefined;
  readonly paymentTermId?: number | undefined;
  readonly customer: CustomerRefs;
  /** One entry per order line, in its order. */
  readonly lines: readonly { readonly components: readonly TrytonComponent[] }[];
  /** Product per charge of the order, in its order; null where a free charge has none. */
  readonly charges: readonly (SaleProduct | null)[];
  readonly rounding: ServiceProduct;
  /** For what is given back and is part of no line. */
  readonly fee: ServiceProduct;
  /** Tax by the storefront's tax key. */
  readonly taxes: Readonly<Record<string, number>>;
  /** Taxes of lines that carry none in the shop: the row for key "none", usually nothing. */
  readonly noTax: readonly number[];
  /** Decimals of unit prices: Tryton refuses more. */
  readonly priceDigits: number;
  readonly warnings: readonly string[];
}

export interface TrytonCompany {
  readonly id: number;
  /** IANA name: a sale has a date and no time. */
  readonly timeZone: string;
}

export interface TrytonCurrency {
  readonly id: number;
  /** ISO 4217. */
  readonly code: string;
  /** Tryton's rounding unit as a decimal string: "0.01", "1" (JPY), "0.001" (KWD). */
  readonly rounding: string;
}

/** Absent ids: nothing may be written in shadow mode, and the customer is not there yet. */
export interface CustomerRefs {
  readonly partyId?: number | undefined;
  readonly invoiceAddressId?: number | undefined;
  readonly shipmentAddressId?: number | undefined;
}

/** A product, and the unit in which it is sold. */
export interface SaleProduct {
  readonly id: number;
  readonly unit: number;
}

/** Where Tryton has none such, only its code. */
export interface ServiceProduct {
  readonly product?: SaleProduct | undefined;
  readonly sku: string;
}

export interface TrytonComponent extends SaleProduct {
  /** Code in Tryton; differs from the line's own SKU when a mapping row leads here. */
  readonly sku: string;
  /** Pieces per piece sold. */
  readonly quantity: number;
  /** Share of the line's price, relative to the other components. */
  readonly share: number;
}
