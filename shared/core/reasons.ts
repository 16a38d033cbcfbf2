/**
 * Every reason why work is parked, with the sentence that an operator or a merchant reads: what happened,
 * and what to do about it. `code` is stable (alarms, runbook and metrics use it); the words may improve.
 */
export interface ReasonText {
  readonly reason: string;
  readonly remedy: string;
}

/** What each code needs to know to say something useful. Lines are named as a person counts them: from 1. */
export interface ReasonParams {
  UNKNOWN_SKU: { line: string; sku: string; destination: string };
  MISSING_SKU: { line: string };
  AMBIGUOUS_SKU: { line: string; sku: string; destination: string; count: number };
  ARCHIVED_SKU: { line: string; sku: string; destination: string };
  UNMAPPED_TAX: { line: string; tax: string; source: string; destination: string };
  UNKNOWN_TAX: { tax: string; to: string; destination: string };
  UNMAPPED_CURRENCY: { currency: string; destination: string };
  UNKNOWN_COMPANY: { company: string; destination: string };
  UNKNOWN_WAREHOUSE: { warehouse: string; destination: string };
  UNKNOWN_COUNTRY: { country: string; destination: string };
  UNKNOWN_PAYMENT_TERM: { method: string; to: string; destination: string };
  MISSING_SERVICE_PRODUCT: { purpose: string; sku: string; destination: string };
  TOTALS_DO_NOT_ADD_UP: { stated: string; computed: string; difference: string };
  AMOUNTS_UNUSABLE: { problem: string };
  TOTAL_MISMATCH: { line: string; shop: string; erp: string; difference: string; tolerance: string };
  AMBIGUOUS_REFERENCE: { reference: string; count: number; destination: string };
  ERP_REFUSED: { destination: string; operation: string; error: string };
  ERP_DOCUMENT_GONE: { destination: string; document: string };
  RETRIES_EXHAUSTED: { attempts: number; lastCode: string; lastReason: string };
  ORDER_CHANGED_AFTER_WRITE: { change: string; document: string; destination: string };
  EVENT_NOT_UNDERSTOOD: { problem: string };
  ROUTE_MISSING: { source: string; destination: string };
}
export type ReasonCode = keyof ReasonParams;

const REASONS: { readonly [C in ReasonCode]: (p: ReasonParams[C]) => ReasonText } = {
  UNKNOWN_SKU: (p) => ({
    reason: `${p.line} has SKU "${p.sku}", which no product in ${p.destination} carries.`,
    remedy: `Create the product in ${p.destination} with this SKU, or add a row "sku, ${p.sku}" to the mapping table; then redrive.`,
  }),
  MISSING_SKU: (p) => ({
    reason: `${p.line} has no SKU and its product has no row in the mapping table.`,
    remedy:
      'Give the product a SKU in the shop, or map its product id ("product:<id>") in the mapping table; then redrive.',
  }),
  AMBIGUOUS_SKU: (p) => ({
    reason: `${p.line} has SKU "${p.sku}", which ${p.count} products in ${p.destination} carry.`,
    remedy: `Leave the SKU on one product in ${p.destination} only, then redrive.`,
  }),
  ARCHIVED_SKU: (p) => ({
    reason: `${p.line} has SKU "${p.sku}", whose product in ${p.destination} is archived.`,
    remedy: `Unarchive the product in ${p.destination}, or map the SKU to its successor; then redrive.`,
  }),
  UNMAPPED_TAX: (p) => ({
    reason: `${p.line} carries the tax "${p.tax}" of ${p.source}, which has no counterpart in ${p.destination} yet.`,
    remedy: `Add a row "tax, ${p.source}, ${p.destination}, ${p.tax}, <tax name or id>" to the mapping table, then redrive.`,
  }),
  UNKNOWN_TAX: (p) => ({
    reason: `The mapping table sends tax "${p.tax}" to "${p.to}", which is no sales tax of ${p.destination}.`,
    remedy: 'Correct the row (the name must match exactly, or use "id:<number>"), then redrive.',
  }),
  UNMAPPED_CURRENCY: (p) => ({
    reason: `The order is in ${p.currency}, which ${p.destination} cannot book: no active currency or pricelist for it.`,
    remedy: `Activate ${p.currency} in ${p.destination} and create a pricelist in it, then redrive.`,
  }),
  UNKNOWN_COMPANY: (p) => ({
    reason: `The route books to company ${p.company}, which does not exist in ${p.destination} or is not open to our user.`,
    remedy: 'Correct "company" of the route in the settings, or give the user access to it; then redrive.',
  }),
  UNKNOWN_WAREHOUSE: (p) => ({
    reason: `The route ships from warehouse "${p.warehouse}", which does not exist in ${p.destination}.`,
    remedy: 'Correct "warehouse" of the route in the settings, then redrive.',
  }),
  UNKNOWN_COUNTRY: (p) => ({
    reason: `The address has country "${p.country}", which ${p.destination} does not know.`,
    remedy: `Correct the address in the shop, or add the country in ${p.destination}; then redrive.`,
  }),
  UNKNOWN_PAYMENT_TERM: (p) => ({
    reason: `The mapping table sends payment method "${p.method}" to "${p.to}", which is no payment term of ${p.destination}.`,
    remedy: 'Correct the row (the name must match exactly, or use "id:<number>"), then redrive.',
  }),
  MISSING_SERVICE_PRODUCT: (p) => ({
    reason: `The order has a ${p.purpose} line, and ${p.destination} has no product with SKU "${p.sku}" to book it on.`,
    remedy: `Create a service product with SKU "${p.sku}" in ${p.destination}, or name another one in the connection's settings; then redrive.`,
  }),
  TOTALS_DO_NOT_ADD_UP: (p) => ({
    reason: `The shop says the order costs ${p.stated}, but its lines, shipping, fees and taxes make ${p.computed}: ${p.difference} are unexplained.`,
    remedy:
      'Look at the order in the shop: a plug-in may add an amount that no line explains. Correct it there; the next update is taken.',
  }),
  AMOUNTS_UNUSABLE: (p) => ({
    reason: `The amounts of the order cannot be added up: ${p.problem}.`,
    remedy:
      'Look at the order in the shop: all of its amounts must be in one currency of ISO 4217. If they are, the connector read them wrongly: report it.',
  }),
  TOTAL_MISMATCH: (p) => ({
    reason: `The shop charged ${p.shop}, the ERP computes ${p.erp}: ${p.difference} apart, more than the ${p.tolerance} that rounding explains. The largest gap is in ${p.line}.`,
    remedy:
      'Compare the tax of that line in the shop and in the ERP, correct the tax row of the mapping table, then redrive. The draft in the ERP is written anew.',
  }),
  AMBIGUOUS_REFERENCE: (p) => ({
    reason: `${p.count} documents in ${p.destination} carry the reference "${p.reference}".`,
    remedy: 'Keep one, clear the reference of the others, then redrive.',
  }),
  ERP_REFUSED: (p) => ({
    reason: `${p.destination} refused to ${p.operation}: ${p.error}.`,
    remedy: 'Mend what the message names (in the ERP, or in the order at the shop), then redrive.',
  }),
  ERP_DOCUMENT_GONE: (p) => ({
    reason: `${p.document} was written to ${p.destination} and is no longer there, or was cancelled by hand.`,
    remedy: 'Decide whether the order is still wanted: restore the document and redrive, or discard.',
  }),
  RETRIES_EXHAUSTED: (p) => ({
    reason: `${p.attempts} attempts failed; the last one with ${p.lastCode}: ${p.lastReason}`,
    remedy:
      'Look at the peer: once it answers again, redrive. Nothing was doubled: creates are looked up first.',
  }),
  ORDER_CHANGED_AFTER_WRITE: (p) => ({
    reason: `The order was ${p.change} in the shop after ${p.document} was written to ${p.destination}.`,
    remedy: `Make the same change to ${p.document} by hand, then discard this message.`,
  }),
  EVENT_NOT_UNDERSTOOD: (p) => ({
    reason: `The message is not an event of the catalogue: ${p.problem}.`,
    remedy: 'A release is wrong or somebody else writes to the bus: stop and look before redriving.',
  }),
  ROUTE_MISSING: (p) => ({
    reason: `No route leads from ${p.source} to ${p.destination} in the settings that are deployed.`,
    remedy: 'Restore the route and redrive, or discard if it was removed on purpose.',
  }),
};

export const reasonText = <C extends ReasonCode>(code: C, params: ReasonParams[C]): ReasonText =>
  REASONS[code](params);
