import { inChunks } from '../../core/chunks.ts';
import { stableHash } from '../../core/content-hash.ts';
import { moneyToDecimal } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import { runWrites, type WriteStep } from '../shop-writes.ts';
import type { ErpProduct, PriceWrite, PriceWritten, ShopListing, StockRefusal } from '../stock-contract.ts';
import { answerNotUnderstood } from './graphql.ts';
import { CHANGES_AT_ONCE, CREATE_DRAFT, productStates, setPrices, setStates } from './stock-documents.ts';
import type { ShopFacts, StockSession } from './stock-session.ts';
import { ChangesAnswer, DraftAnswer, ProductStatesAnswer, ShopifyRef, type UserError } from './stock-wire.ts';

interface Entry {
  readonly write: PriceWrite;
  readonly ref: ShopifyRef;
}
type Step = WriteStep<Entry, PriceWritten>;
/** The variants of one product that are written. */
type Product = readonly Entry[];

/**
 * Prices product by product, twenty products a request; then which products are shown. A product is hidden when all its
 * variants are to be, for they can only be hidden together.
 */
export const writePrices = async (
  session: StockSession,
  writes: readonly PriceWrite[],
  call: CallContext,
): Promise<readonly PriceWritten[]> => {
  const { currency } = await session.facts(call);
  const told: PriceWritten[] = [];
  const products = new Map<string, Entry[]>();
  for (const write of writes) {
    const ref = ShopifyRef.safeParse(write.ref).data;
    if (!ref) told.push(refused(write, 'LISTING_GONE', 'it was never listed'));
    else if (write.price.currency !== currency) {
      told.push(refused(write, 'REFUSED', `the shop sells in ${currency}`));
    } else products.set(ref.product, [...(products.get(ref.product) ?? []), { write, ref }]);
  }

  const prices = (batch: readonly Product[]): Step => ({
    writes: batch.flat(),
    run: async () => {
      const variables = Object.fromEntries(
        batch.flatMap((product, at) => [
          [`p${at}`, product[0]?.ref.product],
          [`v${at}`, product.map((entry) => variantOf(entry, session.nowMs()))],
        ]),
      );
      const { data } = await session.ask(setPrices(batch.length), variables, ChangesAnswer, call);
      const errors = new Map<Entry, UserError>();
      batch.forEach((product, at) => {
        const answer = data[`p${at}`];
        if (!answer) throw answerNotUnderstood(session.peer, 'a price without an answer', {}, true);
        for (const error of answer.userErrors) {
          const index = Number(error.field?.find((part) => /^\d+$/.test(part)) ?? -1);
          const entry = product[index];
          for (const one of entry ? [entry] : product) errors.set(one, error);
        }
      });
      const done = batch.map((product) => product.filter((entry) => !errors.has(entry)));
      const isToldState = ({ write }: Entry) => write.status !== undefined;
      const withState = done.filter((product) => product.some(isToldState));
      return {
        told: [
          ...[...errors].map(([{ write }, { code, message }]) =>
            refused(write, REFUSALS[code ?? ''] ?? 'REFUSED', message),
          ),
          ...done
            .filter((product) => !withState.includes(product))
            .flatMap((product) => product.map(written)),
        ],
        next: withState.length > 0 ? [states(withState)] : [],
      };
    },
  });

  /** What is to be changed of what is shown; undefined: it is so already. */
  const states = (batch: readonly Product[]): Step => ({
    writes: batch.flat(),
    run: async () => {
      const variables = Object.fromEntries(batch.map((product, at) => [`p${at}`, product[0]?.ref.product]));
      const { data } = await session.ask(productStates(batch.length), variables, ProductStatesAnswer, call);
      const results: PriceWritten[] = [];
      const changes: { readonly product: Product; readonly status: string }[] = [];
      batch.forEach((product, at) => {
        const now = data[`p${at}`];
        const isHidden = product.every(({ write }) => write.status === 'hidden');
        const isShown = now?.status === 'ACTIVE' || now?.status === 'UNLISTED';
        if (!now) {
          results.push(...product.map(({ write }) => refused(write, 'LISTING_GONE', 'the product is gone')));
        } else if (isHidden && isShown && (now.variantsCount?.count ?? 0) > product.length) {
          const detail = 'other variants of the product are still sold';
          results.push(...product.map(({ write }) => refused(write, 'NOT_MUTABLE', detail)));
        } else if (isHidden === isShown) {
          changes.push({ product, status: isHidden ? 'DRAFT' : 'ACTIVE' });
        } else results.push(...product.map(written));
      });
      return { told: results, next: changes.length > 0 ? [change(changes)] : [] };
    },
  });

  const change = (changes: readonly { readonly product: Product; readonly status: string }[]): Step => ({
    writes: changes.flatMap(({ product }) => product),
    run: async () => {
      const variables = Object.fromEntries(
        changes.map(({ product, status }, at) => [`p${at}`, { id: product[0]?.ref.product, status }]),
      );
      const { data } = await session.ask(setStates(changes.length), variables, ChangesAnswer, call);
      return {
        told: changes.flatMap(({ product }, at) => {
          const [error] = data[`p${at}`]?.userErrors ?? [];
          return product.map((entry) =>
            error ? refused(entry.write, 'REFUSED', error.message) : written(entry),
          );
        }),
      };
    },
  });

  const steps = inChunks([...products.values()], CHANGES_AT_ONCE).map(prices);
  const sent = await runWrites<Entry, PriceWritten>(steps, ({ write }, detail) => ({
    sku: write.sku,
    kind: 'unknown',
    detail,
  }));
  return [...told, ...sent];
};

/** A sale without dates, or within them: Shopify knows no dates, so whoever writes has to come again when it begins or ends. */
const variantOf = ({ write: { price, sale }, ref }: Entry, nowMs: number) => {
  const isOn =
    sale &&
    (sale.from === undefined || Date.parse(sale.from) <= nowMs) &&
    (sale.until === undefined || nowMs < Date.parse(sale.until));
  return {
    id: ref.variant,
    price: moneyToDecimal(isOn ? sale.price : price),
    compareAtPrice: isOn ? moneyToDecimal(price) : null,
  };
};

const REFUSALS: Readonly<Record<string, StockRefusal>> = {
  PRODUCT_DOES_NOT_EXIST: 'LISTING_GONE',
  PRODUCT_VARIANT_DOES_NOT_EXIST: 'LISTING_GONE',
};
const written = ({ write }: Entry): PriceWritten => ({ sku: write.sku, kind: 'written' });
const refused = ({ sku }: PriceWrite, code: StockRefusal, detail: string): PriceWritten => ({
  sku,
  kind: 'refused',
  code,
  detail,
});

/** Its own handle makes it once, however often it is asked for; it stands at the shop's main location with nothing. */
export const createDraft = async (
  session: StockSession,
  product: ErpProduct,
  facts: ShopFacts,
  call: CallContext,
): Promise<ShopListing> => {
  const { sku, title, price } = product;
  const option = { optionName: 'Title', name: 'Default Title' };
  const isSame = price?.currency === facts.currency;
  const variables = {
    identifier: { handle: `waybill-${stableHash(sku)}` },
    input: {
      title,
      status: 'DRAFT',
      productOptions: [{ name: option.optionName, values: [{ name: option.name }] }],
      variants: [
        {
          optionValues: [option],
          sku,
          inventoryItem: { tracked: true },
          ...(isSame && { price: moneyToDecimal(price) }),
        },
      ],
    },
  };
  const { data } = await session.ask(CREATE_DRAFT, variables, DraftAnswer, call);
  const [error] = data.productSet.userErrors;
  const [variant] = data.productSet.product?.variants.nodes ?? [];
  if (error || !variant) {
    throw answerNotUnderstood(session.peer, `refused the draft (${error?.code ?? 'without a code'})`);
  }
  const ref: ShopifyRef = {
    variant: variant.id,
    product: variant.product.id,
    item: variant.inventoryItem.id,
    tracked: true,
    active: false,
  };
  return {
    sku,
    location: facts.locations[0]?.name ?? '',
    ref,
    title,
    quantity: 0,
    duplicates: 1,
    status: 'hidden',
    ...(isSame && { price }),
    priceIncludesTax: facts.taxesIncluded,
  };
};
