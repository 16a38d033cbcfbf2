/** What an audit finds between an ERP and a shop. */
export type DifferenceKind =
  /** The ERP sells it, and none of its shops does. */
  | 'only-in-erp'
  /** A shop sells it, and the ERP does not know it. */
  | 'only-in-shop'
  /** Two products have one SKU. */
  | 'duplicate'
  | 'stock'
  | 'price'
  | 'status'
  /** An order of the shop that the ERP should have and has not, or the other way round. */
  | 'order-only-in-shop'
  | 'order-only-in-erp';

export type DifferenceCause =
  /** On its way: being written, or in an order that the ERP does not hold yet. */
  | 'in-flight'
  /** Settings keep pieces back, or offer more than there is, or do not show it there. */
  | 'safety-stock'
  | 'backorder'
  | 'not-shown'
  /** Divided among the shops. */
  | 'partition'
  /** The mapping table names SKUs that the ERP does not have, or was changed since. */
  | 'mapping'
  /** The shop does not count it. */
  | 'tracking-off'
  /** Waits for a person: waybill stock held. */
  | 'held'
  /** Settings leave prices, or the status, to the shop. */
  | 'not-managed'
  /** Currency, tax or price list: nothing can be written. */
  | 'not-comparable'
  /** Nothing explains it. */
  | 'drift';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly cause: DifferenceCause;
  /** Connection id; undefined: it concerns the ERP alone. */
  readonly shop?: string | undefined;
  readonly location?: string | undefined;
  /** The shop's SKU, the ERP's where no shop has it, or the number of an order. */
  readonly sku: string;
  /** What the ERP says, and what the shop shows, for people. */
  readonly erp: string;
  readonly shows: string;
  /** What there is to know, in plain words. */
  readonly why: string;
}

/** Is it as settings want it, or on its way? The others are for a person. */
export const isExplained = ({ cause }: Difference): boolean => EXPLAINED.has(cause);

const EXPLAINED: ReadonlySet<DifferenceCause> = new Set<DifferenceCause>([
  'in-flight',
  'safety-stock',
  'backorder',
  'not-shown',
  'partition',
  'not-managed',
]);
