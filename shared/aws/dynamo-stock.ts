import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { StockStore } from '../core/stock/ports.ts';
import { claimId, type ListingRow, type OrderSkus, type StockRow } from '../core/stock/rows.ts';
import { versionedRows } from './dynamo-rows.ts';

/** Rows of the stock table: `erp#<connection>` by SKU, `shop#<connection>` by SKU and location. */
export const dynamoStock = (client: DynamoDBClient, tableName: string): StockStore => {
  const rows = versionedRows(client, tableName);
  return {
    rows: async (erp, skus) => {
      const known = await rows.load<StockRow>(erpPk(erp), skus);
      return new Map(skus.map((sku) => [sku, known.get(sku) ?? emptyRow(erp, sku)]));
    },
    put: (row) => rows.put(erpPk(row.erp), row.sku, row),
    listings: async (shop, keys) => {
      const known = await rows.load<ListingRow>(
        shopPk(shop),
        keys.map(({ sku, location }) => listingSk(sku, location)),
      );
      return new Map([...known.values()].map((row) => [claimId(shop, row.location, row.sku), row]));
    },
    putListing: (row) => rows.put(shopPk(row.shop), listingSk(row.sku, row.location), row),
    orders: (erp, ids) => rows.load<OrderSkus>(ordersPk(erp), ids),
    putOrder: (row) => rows.put(ordersPk(row.erp), row.id, row, row.keepUntilMs),
    allRows: (erp) => rows.all<StockRow>(erpPk(erp)),
    allListings: (shop) => rows.all<ListingRow>(shopPk(shop)),
  };
};

const erpPk = (erp: string): string => `erp#${erp}`;
const shopPk = (shop: string): string => `shop#${shop}`;
const ordersPk = (erp: string): string => `orders#${erp}`;
const listingSk = (sku: string, location: string): string => JSON.stringify([sku, location]);

const emptyRow = (erp: string, sku: string): StockRow => ({
  erp,
  sku,
  version: 0,
  levels: {},
  demand: {},
  claims: {},
  sold: {},
});
