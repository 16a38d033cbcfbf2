import type { Publish } from '../../events/catalogue.ts';
import type { Clock } from '../ports.ts';
import type { HeldPrice, PriceRow, PriceStore } from './price-rows.ts';

export interface HeldPricesPorts {
  readonly prices: PriceStore;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
}

export type HeldRow = PriceRow & { readonly held: HeldPrice };

/** Prices of one shop that wait for a person. */
export const heldPrices = async (prices: PriceStore, shop: string): Promise<readonly HeldRow[]> => {
  const held: HeldRow[] = [];
  for await (const page of prices.allPrices(shop)) {
    for (const row of page) if (row.held) held.push({ ...row, held: row.held });
  }
  return held.sort((a, b) => a.held.sinceMs - b.held.sinceMs);
};

/**
 * Lets these prices pass, each exactly as it is held, and has them written now.
 * @returns those that were approved; the others were changed by somebody meanwhile
 */
export const approvePrices = async (
  { prices, publish, nowMs, newId }: HeldPricesPorts,
  erp: string,
  rows: readonly HeldRow[],
  who: { readonly by: string; readonly why: string },
): Promise<readonly HeldRow[]> => {
  const approved: HeldRow[] = [];
  for (const row of rows) {
    if (await prices.putPrice({ ...row, approved: { price: row.held.is, ...who } })) approved.push(row);
  }
  for (let at = 0; at < approved.length; at += PER_EVENT) {
    const asOfMs = nowMs();
    await publish('product.changed.v1', {
      meta: {
        id: newId(),
        connection: erp,
        correlationId: `approved by ${who.by}`,
        receivedAtMs: asOfMs,
        via: 'replay',
      },
      data: {
        source: erp,
        asOfMs,
        products: approved.slice(at, at + PER_EVENT).map(({ held }) => held.product),
      },
    });
  }
  return approved;
};

const PER_EVENT = 100;

/** Leaves these prices as the shop shows them, until the ERP tells another one. @returns those that were let go */
export const dismissPrices = async (
  prices: PriceStore,
  rows: readonly HeldRow[],
): Promise<readonly HeldRow[]> => {
  const dismissed: HeldRow[] = [];
  for (const row of rows) {
    const { held: _, ...rest } = row;
    if (await prices.putPrice(rest)) dismissed.push(row);
  }
  return dismissed;
};
