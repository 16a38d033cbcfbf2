import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { PriceRow, PriceStore } from '../core/products/price-rows.ts';
import { versionedRows } from './dynamo-rows.ts';

/** Rows of the stock table: `price#<storefront connection>` by the shop's SKU. */
export const dynamoPrices = (client: DynamoDBClient, tableName: string): PriceStore => {
  const rows = versionedRows(client, tableName);
  const pk = (shop: string) => `price#${shop}`;
  return {
    prices: (shop, skus) => rows.load<PriceRow>(pk(shop), skus),
    putPrice: (row) => rows.put(pk(row.shop), row.sku, row),
    allPrices: (shop) => rows.all<PriceRow>(pk(shop)),
  };
};
