import type { Publish } from '../../events/catalogue.ts';
import type { StockDueV1 } from '../../events/stock-due.ts';
import type { Clock } from '../ports.ts';

export interface DuePorts {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
}

/** What one shop should look at again. */
export interface Due {
  readonly shop: string;
  readonly sku: string;
  readonly location: string;
}

const MOST_LISTINGS = 500;

/** Tells the shops what they have to show anew; each listing once. @returns how many */
export const publishDue = async (ports: DuePorts, due: readonly Due[], cause: string): Promise<number> => {
  const byShop = Map.groupBy(due, ({ shop }) => shop);
  let count = 0;
  for (const [destination, those] of byShop) {
    const listings = [
      ...new Map(
        those.map(({ sku, location }) => [JSON.stringify([sku, location]), { sku, location }]),
      ).values(),
    ];
    count += listings.length;
    for (let at = 0; at < listings.length; at += MOST_LISTINGS) {
      const data: StockDueV1 = {
        source: ports.erp,
        destination,
        listings: listings.slice(at, at + MOST_LISTINGS),
      };
      const id = ports.newId();
      await ports.publish('stock.due.v1', {
        meta: {
          id,
          connection: ports.erp,
          correlationId: cause,
          receivedAtMs: ports.nowMs(),
          via: 'derived',
        },
        data,
      });
    }
  }
  return count;
};
