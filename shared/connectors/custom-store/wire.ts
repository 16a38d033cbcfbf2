import * as z from 'zod';

/**
 * What Waybill asks a custom store to send: our contract, published as `order.schema.json` (`npm run docs`).
 *
 * Strict about types and units, because the sender is the merchant's own code and can be mended; fields that are
 * not named here are ignored, and `null` means absent.
 *
 * Amounts are decimal strings in the one currency of the order: JSON numbers are floats in most languages, and
 * minor units go wrong silently wherever a provider and ISO 4217 count decimals differently (Stripe charges ISK
 * in hundredths, ISO 4217 has none). A second currency could only contradict the first.
 */

type Issue = { readonly input: unknown };
const expected = (what: string) => ({
  error: ({ input }: Issue) =>
    input === undefined || input === null ? `missing: ${what}` : `must be ${what}`,
});

const described = (description?: string) => (description === undefined ? {} : { description });
const A_STRING = expected('a string');
const text = (description?: string) => z.string(A_STRING).nullish().meta(described(description));
const requiredText = (description: string) =>
  z.string(A_STRING).min(1, 'must not be empty').meta({ description });
const id = (description: string) =>
  z
    .string(expected('a string, also where it is a number'))
    .min(1, 'must not be empty')
    .max(128)
    .meta({ description });
const flag = (description: string) => z.boolean(expected('true or false')).nullish().meta({ description });
const oneOf = <const T extends readonly [string, ...string[]]>(values: T, description: string) =>
  z.enum(values, expected(`one of ${values.map((value) => `"${value}"`).join(', ')}`)).meta({ description });
const list = <T extends z.ZodType>(item: T, description: string) =>
  z.array(item, expected('a list')).meta({ description });
const object = <S extends z.ZodRawShape>(shape: S) => z.object(shape, expected('an object'));

/** `title` is the type's name in tables; `what`, an example of it, goes into the message. */
const written = (title: string, pattern: RegExp, what: string) => (description?: string) =>
  z
    .string(expected(what))
    .regex(pattern, `must be ${what}`)
    .meta({ title, ...described(description) });
const amount = written(
  'amount',
  /^\d{1,15}(\.\d{1,8})?$/,
  'a decimal string such as "12.30", zero or positive',
);
const signedAmount = written(
  'signed amount',
  /^-?\d{1,15}(\.\d{1,8})?$/,
  'a decimal string such as "12.30" or "-12.30"',
);
const rate = written('decimal', /^\d{1,9}(\.\d{1,12})?$/, 'a decimal string such as "7.25"');
const country = written('country', /^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code in capitals, e.g. "TW"');
const currency = written('currency', /^[A-Z]{3}$/, 'an ISO 4217 code in capitals, e.g. "EUR"');

const A_TIME = 'an ISO 8601 time with a zone, e.g. "2026-01-05T02:04:05.123Z"';
const time = (description?: string) =>
  z.iso.datetime({ offset: true, ...expected(A_TIME) }).meta(described(description));

/** Two parts with one id would be one and the same to whoever compares versions of an order. */
const distinctIds = (parts: readonly { readonly id: string }[], context: z.RefinementCtx): void => {
  const seen = new Map<string, number>();
  for (const [index, part] of parts.entries()) {
    const first = seen.get(part.id);
    if (first === undefined) seen.set(part.id, index);
    else context.addIssue({ code: 'custom', path: [index, 'id'], message: `the same as of [${first}]` });
  }
};

const Attribute = object({ name: requiredText('What it is called'), value: z.string(A_STRING) });
const Attributes = list(
  Attribute.meta({ id: 'Attribute' }),
  'Anything people should see with it, e.g. an engraving',
).nullish();

const Tax = object({
  key: id('Your id of the rate: mapping tables name it, so it must not change with the words'),
  title: requiredText('As the buyer saw it, e.g. "VAT 19 %"'),
  ratePercent: rate('Percent, e.g. "19" or "7.25"').nullish(),
  compound: flag('Computed on top of the taxes before it'),
  amount: signedAmount('For the whole line or charge; negative only with a negative fee'),
}).meta({ id: 'Tax' });

const Line = object({
  id: id('Yours, the same in every version of the order'),
  sku: z.string(A_STRING).max(128).nullish().meta({ description: 'What the ERP knows the product by' }),
  productId: text('Yours; mapping tables can name it as product:ID where there is no SKU'),
  variantId: text('Yours'),
  title: requiredText('As the buyer saw it'),
  quantity: z.number(expected('a number above zero')).positive('must be a number above zero').meta({
    description:
      'Pieces as they are ordered now: those that an edit removed are not counted, refunded ones are. A line with none left is left out',
  }),
  subtotal: amount('Before discount, for the whole quantity'),
  discount: amount('Off the whole line; absent: none').nullish(),
  total: amount('subtotal - discount'),
  taxes: list(Tax, 'Every tax of the line; empty: none'),
  kind: oneOf(['goods', 'digital', 'gift-card', 'service'], 'What is sold').nullish(),
  gift: flag('To be wrapped, or without a price on the slip'),
  attributes: Attributes,
  weightG: z
    .number(expected('a number of grams'))
    .nonnegative('must not be negative')
    .nullish()
    .meta({ description: 'Grams, for the whole quantity' }),
  hsCode: text('Customs: harmonised system code'),
  originCountry: country('Customs').nullish(),
  availableAt: time('Pre-order: not to be shipped before').nullish(),
});

const CHARGES = ['shipping', 'fee', 'duty', 'tip'] as const;
const Charge = object({
  id: id('Yours, the same in every version of the order'),
  kind: oneOf(CHARGES, 'fee: anything else that costs money; a fee below zero is a reduction'),
  method: text('Code of the shipping method or fee: mapping tables name it'),
  title: requiredText('As the buyer saw it'),
  total: signedAmount('After discount; below zero only for a fee'),
  taxes: list(Tax, 'Every tax of the charge; empty: none'),
});

const Address = object({
  name: text('Whole name; or firstName and lastName, joined as the script asks'),
  firstName: text('Where there is no name'),
  lastName: text('Where there is no name'),
  company: text(),
  line1: text('Street and number'),
  line2: text(),
  city: text(),
  region: text('State or province'),
  postcode: text(),
  country: country().nullish(),
  phone: text('With country code, e.g. +886900000000'),
})
  .meta({ id: 'Address' })
  .nullish();

const Discount = object({ code: requiredText('Voucher or campaign'), amount: amount('In all') });
const GiftCard = object({ id: id('Yours; not the code that can be spent'), amount: amount('Paid with it') });
const Refund = object({
  id: id('Yours, the same in every version of the order'),
  reason: text('In words'),
  total: amount('What the buyer got back, tax included'),
  refundedAt: time('When').nullish(),
  payment: object({
    method: text("Code, where it is not the order's"),
    reference: text('Refund at the provider, e.g. re_…'),
  })
    .nullish()
    .meta({ description: 'How the money went back' }),
  lines: list(
    object({
      lineId: id('Which of lines'),
      quantity: z
        .number(expected('a number, zero or positive'))
        .nonnegative('must not be negative')
        .meta({ description: 'Pieces that come back, or will not be sent; 0: money only' }),
      total: amount('What these pieces cost, as total of the line'),
      taxes: list(Tax, 'Of these pieces; positive'),
      restock: flag('They can be sold again'),
    }),
    'What it is for, as far as it is for goods; absent: an amount and nothing else',
  ).nullish(),
  charges: list(
    object({
      chargeId: id('Which of charges'),
      total: amount('How much of it'),
      taxes: list(Tax, 'Of this part; positive'),
    }),
    'Shipping and fees that are paid back',
  ).nullish(),
});

const Capture = object({
  id: id('Yours, the same in every version of the order'),
  amount: amount("What was captured, in the order's currency"),
  method: text('Code; absent: as payment.method'),
  reference: text('Transaction at the provider, e.g. ch_…'),
  fee: amount('What the provider keeps').nullish(),
  feeCurrency: currency('Where the fee is in another').nullish(),
  paidAt: time().nullish(),
});

const Presentment = object({
  currency: currency('What the buyer was shown'),
  rate: rate("Units of this currency for one unit of the order's"),
  total: amount("As the order's total"),
  lines: list(
    object({
      subtotal: amount(),
      discount: amount().nullish(),
      total: amount(),
      taxes: list(signedAmount(), "Amounts, as in the line's taxes"),
    }),
    'As in lines, in the same order',
  ).nullish(),
  charges: list(
    object({ total: signedAmount(), taxes: list(signedAmount(), "Amounts, as in the charge's taxes") }),
    'As in charges, in the same order',
  ).nullish(),
  discounts: list(amount(), 'As in discounts').nullish(),
  giftCards: list(amount(), 'As in giftCards').nullish(),
  refunds: list(amount(), 'As in refunds').nullish(),
}).nullish();

/** One order, as it is now: `data` of every order webhook, and what the two reads answer. */
export const CustomStoreOrder = object({
  id: id('Yours, and it never changes; not the number shown to the buyer'),
  number: text('What buyer and staff call it; absent: the id'),
  version: z
    .int(expected('a whole number that grows with every change'))
    .nonnegative('must not be negative')
    .meta({
      description:
        'Larger is newer. A counter, or the time of the change in milliseconds; one of the two for ever, and never seconds: two changes may share one',
    }),
  placedAt: time('When the buyer ordered'),
  updatedAt: time('When anything of it last changed; the listing is sorted by it'),
  status: oneOf(
    ['pending', 'on-hold', 'open', 'completed', 'cancelled', 'failed', 'refunded'],
    'pending: not an order yet for you either (checkout open, payment not decided). open: to be shipped. completed: done',
  ),
  sourceStatus: text('Your own word for the status, for people'),
  test: flag('Nobody shall ship it'),
  channel: text('Where it was made, e.g. web, app, phone'),
  currency: currency('Of every amount that does not name another'),
  pricesIncludeTax: z.boolean(expected('true or false')).meta({
    description:
      'true: subtotal, discount and total of lines and charges include the taxes; false: they do not',
  }),
  lines: list(Line, 'What was bought').superRefine(distinctIds),
  charges: list(Charge, 'Shipping, fees, duties, tips').superRefine(distinctIds).nullish(),
  discounts: list(Discount, 'For people: the amounts are already off the lines').nullish(),
  giftCards: list(GiftCard, 'A way to pay: part of total, not a discount').nullish(),
  total: amount(
    'What the buyer pays, tax included, gift cards not taken off: lines, charges and taxes add up to it',
  ),
  payment: object({
    state: oneOf(
      ['pending', 'paid', 'partially-paid', 'refunded', 'partially-refunded', 'failed'],
      'With refunds listed, "paid" is taken as refunded or partially-refunded',
    ),
    kind: oneOf(
      ['online', 'cash-on-delivery', 'bank-transfer', 'free', 'other'],
      'Decides when an unpaid order counts. free: the total is zero',
    ),
    method: z
      .string(A_STRING)
      .meta({ description: 'Code, e.g. stripe: mapping tables name it; empty when free' }),
    title: text('As the buyer saw it'),
    reference: text('Transaction at the provider, e.g. pi_…'),
    fee: amount('What the provider keeps').nullish(),
    feeCurrency: currency('Where the fee is in another').nullish(),
    paidAt: time().nullish(),
    captures: list(
      Capture,
      'Every payment that came in: deposits, instalments. Absent: state and total say it',
    )
      .superRefine(distinctIds)
      .nullish(),
  }),
  refunds: list(Refund, 'All so far').superRefine(distinctIds).nullish(),
  buyer: object({
    id: text('Yours; absent: a guest'),
    email: text(),
    phone: text(),
    name: text('Whole name; or firstName and lastName'),
    firstName: text('Where there is no name'),
    lastName: text('Where there is no name'),
    company: text(),
    taxNumber: text('VAT id, 統一編號, ...'),
    locale: text('e.g. zh-TW'),
  }),
  billing: Address,
  shipping: Address,
  buyerNote: text('What the buyer wrote'),
  attributes: Attributes,
  requestedDelivery: text('When the buyer wants it, in words'),
  adminUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .nullish()
    .meta({ description: 'Deep link for staff' }),
  presentment: Presentment.meta({
    description: "Buyer's currency, where it differs: the total, or every amount of the order",
  }),
}).meta({
  title: 'Order of a custom store',
  description:
    'Contract version 1. All amounts are decimal strings with at most the decimals of their currency (ISO 4217). Null means absent; unknown fields are ignored.',
});
export type CustomStoreOrder = z.infer<typeof CustomStoreOrder>;

/** Standard Webhooks, "Payload structure"; its `timestamp` says nothing that the order does not. */
export const CustomStoreEvent = object({
  type: z
    .string(expected('an event type such as "order.updated"'))
    .regex(/^\w+(\.\w+)*$/, 'must be an event type such as "order.updated"')
    .max(128),
});

/** An event of an order. */
export const CustomStoreOrderEvent = object({ data: CustomStoreOrder });

/** Body of a 404 that speaks about the order, and not about the address. */
export const CustomStoreError = z.object({ code: z.string().regex(/^[\w.-]{1,80}$/) });

/** One page of the listing. Orders are read one by one, so that one bad order does not hide the others. */
export const CustomStorePage = object({
  data: list(z.unknown(), 'Orders by updatedAt, then id, ascending'),
  nextCursor: z
    .string()
    .min(1)
    .nullable()
    .meta({ description: 'For the next page; null: this was the last' }),
});

/** How many breaches of the contract are named at once: more help nobody. */
export const PROBLEMS_TOLD = 8;

/** The file `order.schema.json`. Draft 7, which every validator knows. */
export const orderSchema = (): string => {
  const schema = z.toJSONSchema(CustomStoreOrder, {
    io: 'input',
    target: 'draft-7',
    // "date-time" says the same as zod's pattern, readably.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
};
