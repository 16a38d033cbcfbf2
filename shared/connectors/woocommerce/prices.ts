import * as z from 'zod';
import { UnknownOutcomeError } from '../../core/errors.ts';
import { moneyToDecimal } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import { jsonOf } from '../../http/json.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import { runWrites } from '../shop-writes.ts';
import type { ErpProduct, PriceWrite, PriceWritten, ShopListing } from '../stock-contract.ts';
import { batchUpdate, byEndpoint, type Change, type Outcome } from './batch-updates.ts';
import type { StockSession } from './listings.ts';
import { WcStocked, WooCommerceRef } from './stock-wire.ts';

/** Prices, sale prices with their dates, and what is shown; as strings, in the shop's currency. */
export const writePrices = async (
  session: StockSession,
  writes: readonly PriceWrite[],
  call: CallContext,
): Promise<readonly PriceWritten[]> => {
  if (writes.length === 0) return [];
  const { currency } = await session.facts(call);
  const told: PriceWritten[] = [];
  const changes: Change<PriceWrite>[] = [];
  for (const write of writes) {
    const ref = WooCommerceRef.safeParse(write.ref).data;
    if (!ref) {
      told.push(stated(write, { kind: 'refused', code: 'LISTING_GONE', detail: 'it was never listed' }));
    } else if (write.price.currency !== currency) {
      told.push(stated(write, { kind: 'refused', code: 'REFUSED', detail: `the shop sells in ${currency}` }));
    } else changes.push({ write, ref, fields: fieldsOf(write, ref) });
  }
  const steps = byEndpoint(changes).map((batch) => batchUpdate(session, batch, stated, call));
  const sent = await runWrites<PriceWrite, PriceWritten>(steps, (write, detail) =>
    stated(write, { kind: 'unknown', detail }),
  );
  return [...told, ...sent];
};

/** An empty text takes a value away; null is not even looked at (`isset`). */
const fieldsOf = ({ price, sale, status }: PriceWrite, { parent }: WooCommerceRef) => ({
  regular_price: moneyToDecimal(price),
  sale_price: sale ? moneyToDecimal(sale.price) : '',
  date_on_sale_from_gmt: sale?.from ? utcText(sale.from) : '',
  date_on_sale_to_gmt: sale?.until ? utcText(sale.until) : '',
  ...(status && {
    // A variation is no post that could be a draft.
    status: status === 'active' ? 'publish' : parent === undefined ? 'draft' : 'private',
  }),
});

const utcText = (iso: string): string => new Date(iso).toISOString().slice(0, 19);

const stated = ({ sku }: PriceWrite, outcome: Outcome): PriceWritten => ({ sku, ...outcome });

/** A simple product, counted, with nothing in stock. WooCommerce itself refuses a SKU that it knows. */
export const createDraft = async (
  session: StockSession,
  { sku, title, price }: ErpProduct,
  call: CallContext,
): Promise<ShopListing> => {
  const { currency, pricesIncludeTax } = await session.facts(call);
  const isSame = price?.currency === currency;
  const product = {
    name: title,
    sku,
    type: 'simple',
    status: 'draft',
    manage_stock: true,
    stock_quantity: 0,
    ...(isSame && { regular_price: moneyToDecimal(price) }),
  };
  const response = await session.ask((rest) => rest.post('/products', product, call));
  const created = Created.safeParse(response.status < 300 ? jsonOf(response.text) : undefined);
  if (!created.success) {
    const message = `${session.peer}: HTTP ${response.status} instead of a new product`;
    throw new UnknownOutcomeError('ANSWER_NOT_UNDERSTOOD', message, { status: response.status });
  }
  const ref: WooCommerceRef = { id: created.data.id };
  return {
    sku,
    location: DEFAULT_LOCATION,
    ref,
    title,
    quantity: 0,
    duplicates: 1,
    status: 'hidden',
    ...(isSame && { price }),
    priceIncludesTax: pricesIncludeTax,
  };
};

const Created = z.object({ id: WcStocked.shape.id });
