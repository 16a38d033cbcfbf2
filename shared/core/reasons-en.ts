import type {
  AmountProblem,
  Booking,
  ErpOperation,
  ErpRefusal,
  EventProblem,
  LineLabel,
  OrderChange,
  ReasonParams,
  TooLate,
  Wording,
} from './reasons.ts';

const line = (label: LineLabel): string => {
  switch (label.kind) {
    case 'line':
      return `Line ${label.number} ("${label.title}")`;
    case 'discount':
      return 'Discount line';
    default:
      return `${CHARGES[label.kind]} line ("${label.title}")`;
  }
};
const CHARGES = { shipping: 'Shipping', fee: 'Fee', duty: 'Duty', tip: 'Tip' } as const;

const operation = (asked: ErpOperation): string => {
  switch (asked.what) {
    case 'confirm-order':
      return `confirm ${asked.document}`;
    case 'restore-order-date':
      return `restore the order date of ${asked.document}`;
    case 'change-order':
      return `change ${asked.document}`;
    case 'cancel-order':
      return `cancel ${asked.document}`;
    case 'post-credit-note':
      return `post the credit note ${asked.document}`;
    case 'post-payment':
      return `post the payment ${asked.document}`;
    case 'use-collective-customer':
      return `book the order on the collective customer "${asked.reference}"`;
    case 'read':
      return `read ${asked.model}`;
    default:
      return OPERATIONS[asked.what];
  }
};
const OPERATIONS = {
  'log-in': 'log in',
  'create-order': 'create the order',
  'rewrite-draft': 'write the lines of the draft anew',
  'book-rounding': 'book the rounding difference',
  'note-payment-pending': 'note that payment is pending',
  'create-customer': 'create the customer',
  'create-delivery-address': 'create the delivery address',
  'create-invoice-address': 'create the invoice address',
  'create-credit-note': 'create the credit note',
  'create-payment': 'create the payment',
  'adjust-stock': 'adjust the stock',
} as const;

const refusal = (error: ErpRefusal): string => {
  switch (error.why) {
    case 'words':
      return error.words;
    case 'record-missing':
      return `${error.exception}: a record of ${error.model} does not exist or has been deleted`;
    case 'constraint':
      return `${error.exception}: a constraint on field ${error.field} of ${error.model} is not met`;
    case 'reference-shared':
      return `${error.count} customers carry this reference, exactly one may`;
    case 'reference-unknown':
      return 'no active customer carries this reference';
    case 'asked-a-question':
      return 'it asked a question instead (a wizard of an installed module)';
    case 'tax-number-invalid':
      return "the buyer's tax number is not valid for the country of the billing address";
  }
};

const amounts = (problem: AmountProblem): string => {
  switch (problem.kind) {
    case 'two-currencies':
      return `${problem.one} and ${problem.other} do not add`;
    case 'unknown-currency':
      return `"${problem.currency}" is no ISO 4217 currency`;
    case 'too-large':
      return 'a sum is too large';
  }
};

const event = (problem: EventProblem): string => {
  switch (problem.kind) {
    case 'not-json':
      return 'not JSON';
    case 'other-event':
      return `a ${problem.got}, not a ${problem.wanted}`;
    case 'fields':
      return problem.fields;
  }
};

const CHANGES: Readonly<Record<OrderChange, string>> = {
  edited: 'edited',
  cancelled: 'cancelled',
  failed: 'marked as failed',
  refunded: 'refunded',
  'refunded-in-part': 'refunded in part',
  reopened: 'opened again',
};

const TOO_LATE: Readonly<Record<TooLate, string>> = {
  delivered: 'goods were delivered',
  invoiced: 'it was invoiced',
  locked: 'it is locked',
  cancelled: 'it was cancelled',
};

const BOOKINGS: Readonly<Record<Booking, string>> = {
  'credit-note': 'credit note for the refund',
  payment: 'payment',
};

export const english: Wording = {
  line,
  operation,
  reasons: {
    UNKNOWN_SKU: (p) => ({
      reason: `${line(p.line)} has SKU "${p.sku}", which no product in ${p.destination} carries.`,
      remedy: `Create the product in ${p.destination} with this SKU, or add a row "sku, ${p.sku}" to the mapping table; then redrive.`,
    }),
    MISSING_SKU: (p) => ({
      reason: `${line(p.line)} has no SKU and its product has no row in the mapping table.`,
      remedy:
        'Give the product a SKU in the shop, or map its product id ("product:<id>") in the mapping table; then redrive.',
    }),
    AMBIGUOUS_SKU: (p) => ({
      reason: `${line(p.line)} has SKU "${p.sku}", which ${p.count} products in ${p.destination} carry.`,
      remedy: `Leave the SKU on one product in ${p.destination} only, then redrive.`,
    }),
    ARCHIVED_SKU: (p) => ({
      reason: `${line(p.line)} has SKU "${p.sku}", whose product in ${p.destination} is archived.`,
      remedy: `Unarchive the product in ${p.destination}, or map the SKU to its successor; then redrive.`,
    }),
    UNMAPPED_TAX: (p) => ({
      reason: `${line(p.line)} carries the tax "${p.tax}" of ${p.source}, which has no counterpart in ${p.destination} yet.`,
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
      reason: `The route books to ${p.company === undefined ? "the API user's own company" : `company "${p.company}"`}, which does not exist in ${p.destination} or is not open to our user.`,
      remedy: 'Correct "company" of the route in the settings, or give the user access to it; then redrive.',
    }),
    UNKNOWN_WAREHOUSE: (p) => ({
      reason: `The route ships from warehouse "${p.warehouse}", which does not exist in ${p.destination}.`,
      remedy: 'Correct "warehouse" of the route in the settings, then redrive.',
    }),
    UNKNOWN_PRICELIST: (p) => ({
      reason: `Prices come from price list "${p.pricelist}", which ${p.destination} does not have under exactly this name, or has twice.`,
      remedy:
        'Correct "prices.pricelist" of the stock route in the settings, or its name there; the next poll reads it.',
    }),
    UNKNOWN_COUNTRY: (p) => ({
      reason: `The address has country "${p.country}", which ${p.destination} does not know.`,
      remedy: `Correct the address in the shop, or add the country in ${p.destination}; then redrive.`,
    }),
    UNKNOWN_PAYMENT_TERM: (p) => ({
      reason: `The mapping table sends payment method "${p.method}" to "${p.to}", which is no payment term of ${p.destination}.`,
      remedy: 'Correct the row (the name must match exactly, or use "id:<number>"), then redrive.',
    }),
    UNKNOWN_PAYMENT_JOURNAL: (p) => ({
      reason: `The order is in ${p.destination}, and its payment is not booked yet: ${
        p.to === undefined
          ? `the mapping table names no journal for payment method "${p.method}" of ${p.source}`
          : `the mapping table sends payment method "${p.method}" of ${p.source} to journal "${p.to}", which ${p.destination} cannot book payments in`
      }.`,
      remedy: `${p.to === undefined ? 'Add' : 'Correct'} the row "journal, ${p.source}, ${p.destination}, ${p.method}, <code or name of the journal>" in the mapping table, then redrive.`,
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
      reason: `The amounts of the order cannot be added up: ${amounts(p.problem)}.`,
      remedy:
        'Look at the order in the shop: all of its amounts must be in one currency of ISO 4217. If they are, the connector read them wrongly: report it.',
    }),
    TOTAL_MISMATCH: (p) => ({
      reason: `The shop charged ${p.shop}, the ERP computes ${p.erp}: ${p.difference} apart, more than the ${p.tolerance} that rounding explains. ${p.line ? `The largest gap is in ${line(p.line)}.` : 'No single line explains it.'}`,
      remedy: `Compare the tax of ${p.line ? 'that line' : 'each line'} in the shop and in the ERP, correct the tax row of the mapping table, then redrive. The draft in the ERP is written anew.`,
    }),
    AMBIGUOUS_REFERENCE: (p) => ({
      reason: `${p.count} documents in ${p.destination} carry the reference "${p.reference}".`,
      remedy: 'Keep one, clear the reference of the others, then redrive.',
    }),
    ERP_REFUSED: (p) => ({
      reason: `${p.destination} refused to ${operation(p.operation)}: ${refusal(p.error)}.`,
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
      reason: `The order was ${CHANGES[p.change]} in the shop after ${p.document} was written to ${p.destination}.`,
      remedy: `Make the same change to ${p.document} by hand, then discard this message.`,
    }),
    EDITED_IN_ERP: (p) => ({
      reason: `${p.document} in ${p.destination} was changed by hand since we wrote it: it costs ${p.erp} there${p.shop ? `, ${p.shop} in the shop` : ''}. What people changed is never overwritten.`,
      remedy: `Bring ${p.document} to what was agreed with the buyer, then discard this message; or undo the change by hand and redrive.`,
    }),
    TOO_LATE_IN_ERP: (p) => ({
      reason: `The order was ${CHANGES[p.change]} in the shop, and ${p.document} in ${p.destination} cannot follow: ${TOO_LATE[p.because]} already.`,
      remedy: `Settle it in ${p.destination} (a return, a credit note, a new order), then discard this message.`,
    }),
    PERIOD_LOCKED: (p) => ({
      reason: `The books of ${p.destination} are closed for ${p.day}, so the ${BOOKINGS[p.what]} cannot be booked on that day. ${p.openFrom ? `The first day after it that is open is ${p.openFrom}.` : 'No later day is open either.'}`,
      remedy: p.openFrom
        ? `Have the period opened in ${p.destination} and redrive; or set "lockedPeriod" of the route to "first-open-day", which books it on the first day that is open, and redrive; or book it by hand and discard this message.`
        : `Have a period opened in ${p.destination} (perhaps the next fiscal year is missing), then redrive.`,
    }),
    EVENT_NOT_UNDERSTOOD: (p) => ({
      reason: `The message is not an event of the catalogue: ${event(p.problem)}.`,
      remedy: 'A release is wrong or somebody else writes to the bus: stop and look before redriving.',
    }),
    ROUTE_MISSING: (p) => ({
      reason: `No route leads from ${p.source} to ${p.destination} in the settings that are deployed.`,
      remedy: 'Restore the route and redrive, or discard if it was removed on purpose.',
    }),
    SEEN_IN_SHADOW: (p) => ({
      reason: `The order came while the route from ${p.source} to ${p.destination} was in shadow mode, so people may have entered it already.`,
      remedy: `If they have, bind it ("waybill adopt --from ${p.source} --to ${p.destination} --since ${p.day}", then with --yes) and redrive. If nobody has, redrive it with --not-in-erp.`,
    }),
    STOREFRONT_CREDENTIALS_MISSING: (p) => ({
      reason: `Order ${p.orderId} has to be read at ${p.source}, and the connection has no credentials for reading.`,
      remedy: `Create an API key that may read orders, add it with "waybill secrets set ${p.source}", then redrive.`,
    }),
    ORDER_UNREADABLE: (p) => ({
      reason: `Order ${p.orderId}, as ${p.source} tells it, cannot be stated as an order: ${p.problem}.`,
      remedy:
        'Look at that field in the shop and correct it, or have the connector taught if the shop changed its format; then redrive.',
    }),
    PAYMENT_UNREADABLE: (p) => ({
      reason: `Payment ${p.paymentId}, as ${p.source} tells it, cannot be stated: ${p.problem}.`,
      remedy:
        'Look at that field at the provider, or have the connector taught if the provider changed its format; then redrive.',
    }),
    PARKED_BY_AWS: (p: ReasonParams['PARKED_BY_AWS']) => ({
      reason:
        p.by === 'sqs'
          ? `SQS parked this message by itself: it was received ${p.receives} times and the function never said what became of it.`
          : `EventBridge parked this event by itself: it could not put it into the queue (${p.error}).`,
      remedy:
        'Look into the log of the function and at the permissions of the queue; once the function runs again, redrive.',
    }),
  },
};
