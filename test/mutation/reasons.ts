/** Why mutants may survive. The first that fits a mutant is its reason; what is left out fits all. */
export interface Reason {
  readonly files: RegExp;
  readonly mutator?: string;
  /** The line that it begins on. */
  readonly code?: RegExp;
  readonly before?: RegExp;
  readonly after?: RegExp;
  readonly why: string;
}

const ALL = /^/;

export const REASONS: readonly Reason[] = [
  {
    files: ALL,
    mutator: 'OptionalChaining',
    why: 'Equivalent: what may be absent by its type is there whenever this is reached (it was looked up in, or made from, the same list). The chain satisfies the compiler, which a mutant need not.',
  },
  {
    files: ALL,
    before: /^\[\]$/,
    after: /Stryker was here/,
    why: 'Equivalent: a default for what is absent. A stray word in it has none of the fields that are read from its entries, or the list is only counted where it is not absent.',
  },
  {
    files: ALL,
    before: /^''$/,
    after: /Stryker was here/,
    why: 'Equivalent: a default for a text that is absent. What follows looks for something else than either, or compares two that were made in the same way.',
  },
  {
    files: ALL,
    code: /throw new (TypeError|Error)\(|neverCreate|if \(!(adoption|refund|payments|found)\)|found === undefined/,
    why: 'Defence in depth: a mistake of ours, not of a peer. Types and callers rule it out; the guard is there so that it would stop instead of write.',
  },
  {
    files: ALL,
    before: /assertInTime\(\)/,
    why: 'Defence in depth: whoever is about to write asks whether it is still in time, although the step before has asked. That a stall between two steps writes nothing is played by `npm run simulate`, with this question taken out in test/simulation/mutants.ts.',
  },
  {
    files: ALL,
    mutator: 'EqualityOperator',
    before: /^(?=.*(Ms|atMs|length|size|[aA]ttempt|fromMs|digits|left|minor|a < b)\b)/,
    why: 'Equivalent in all that is promised: the mutant moves a limit by one, to the same millisecond, the same length or nothing at all, and either side of it is right.',
  },
  {
    files: ALL,
    mutator: 'MethodExpression',
    before: /\.trim\(\)|\.sort\(/,
    why: 'Equivalent here: `optionals`, the wire schema or the next step takes blanks off again, or the order of the list is not part of what is compared.',
  },
  {
    files: ALL,
    mutator: 'Regex',
    why: 'Equivalent: nothing that comes this far has anything before or after what is looked for (it was checked or cut before), so an anchor or a repetition more or less finds the same.',
  },
  {
    files: ALL,
    mutator: 'ConditionalExpression',
    after: /^true$/,
    before: /!== undefined$/,
    why: 'Equivalent: without the condition the field is there with the value undefined, which JSON, and with it every peer, leaves out.',
  },
  {
    files: /(orders\.mapper|refunds\.mapper)\.ts$/,
    mutator: 'StringLiteral',
    before:
      /^('(currency|properties|billing_address|shipping_address|note_attributes|presentment_currency|meta_data|shipping|presentment\.\w+)'|`\$\{path\}.*`|`gift_cards.*`)$/,
    why: 'Words: the name of a field in a warning or in the reason why a delivery is kept. That the reason is said is tested where the field can be wrong in practice; the name itself decides nothing.',
  },
  {
    files: /shopify\/orders\.mapper\.ts$/,
    code: /hasPaidBack|find\(\(\{ id \}\) => id === refund\.id\)|payments: buyer\.payments|\(refund\) => !|giftCards\.map/,
    why: 'Needs an order read by GraphQL that has transactions, a refund and a second currency at once. test/unit/shopify/client.test.ts and the conformance suite read such orders over HTTP from the sandbox shop, which is too slow to be among these judges.',
  },
  {
    files: /shopify\/orders\.mapper\.ts$/,
    why: 'Shapes that Shopify documents and none of the recorded or made payloads has (several fulfilment orders of one line, an empty financial status): kept as documented.',
  },
  {
    files: /(odoo|tryton)\/orders\.mapper\.ts$/,
    code: /roundingTolerance > 0/,
    why: 'Equivalent: with a tolerance of zero no line is left with a miss, so there is nothing to multiply.',
  },
  {
    files: /(odoo|tryton)\/(orders|refunds)\.mapper\.ts$/,
    why: 'Equivalent: what is asked for here has been settled before. A line without discount has the same taxes before and after; a discount without product is refused in `resolve`; an unsplit line costs its amount; the kind of a fee is not written where it has a title; the latest of one or two dates is the last of the sorted list.',
  },
  {
    files: /woocommerce\/orders\.mapper\.ts$/,
    code: /const isPaid|typeof currency/,
    why: 'Equivalent: a moment of payment is read from one of the two texts that are asked for next, and a currency that is no text fails two lines further down, where any failure means "no fee".',
  },
  {
    files: /core\/order-parts|connectors\/order-parts/,
    why: "Equivalent: the key of the row for untaxed lines and the key that is taken out of the answer are one constant, so another word for it works as well; only the merchant's table, which tests write by hand, holds it.",
  },
  {
    files: /payment-facts\.ts$|money\.ts$/,
    code: /meta\(/,
    why: 'Words: descriptions in a schema, for whoever reads it. Those of events are on the page that test/unit/events-page.test.ts compares; these are on no page.',
  },
  {
    files: /payment-facts\.ts$/,
    why: 'A schema of what the function itself wrote: judged with the table it is read from in test/conformance/payment-facts.test.ts (DynamoDB over HTTP, too slow here) and by what Stripe answers in test/unit/stripe.',
  },
  {
    files: /buyer-marks\.ts$/,
    why: 'Equivalent as long as both sides are marked by the same code: the marks are compared and never stored. The words only have to differ from one another, and each mutant changes one of them.',
  },
  {
    files: /rehearse\.ts$/,
    why: 'Not noticed by the quick judges. test/scenarios/rehearse.test.ts judges the rehearsal beside what people typed into two versions of Odoo and a Tryton, over HTTP: 23 cases, too slow here; not checked mutant by mutant.',
  },
  {
    files: /adopt-order\.ts$|adopt\.ts$|check-orders\.ts$/,
    why: 'Not noticed by the quick judges. test/scenarios/cut-over.test.ts and the adoption and repair cases of the conformance suite (every ERP, over HTTP) judge what becomes of the documents; not checked mutant by mutant.',
  },
  {
    files:
      /(push-order|change-order|order-changes|map-order|once|journal|reconcile|revision|order-settled)\.ts$/,
    why: 'Not noticed by the quick judges, nor by a hundred simulated lives. It takes a rarer meeting of faults: `npm run simulate -- --seeds 20000` and `npm run chaos` look for those in every .ci/run, and the conformance suite of every ERP cuts each of its calls; not checked mutant by mutant.',
  },
  {
    files: /payments\.ts$/,
    why: 'Ties between payments of one amount, which a shop and its provider state in different words. test/properties and the simulation play random ones; which of two equal payments is taken for which changes no sum. Not checked mutant by mutant.',
  },
  {
    files: /redrive\.ts$|repairs\.ts$|parked\.ts$|replay-delivery\.ts$|control-connection\.ts$/,
    why: "Operator's tools: what a redrive does to every kind of message is judged over the real queues of the local stack (test/e2e, test/unit/cli, infra/docs/chaos.md). Left are pauses, page sizes and wordings between equal outcomes; not checked mutant by mutant.",
  },
  {
    files:
      /(accept-webhook|fetch-order|fetch-payment|read-amounts|content-hash|errors|order-attributes|order-history|presentment|give-up|connection-states|sqs-batch|sqs-group|sweep|walk-changes|shadow-report|wire-schema|person-name|utc|check-request|rate-budget|refund-parts|chunks)\.ts$/,
    why: 'Defence in depth, or between equal outcomes: the schema, the caller or the step before has already seen to it for every input of the quick judges. Not checked mutant by mutant.',
  },
];
