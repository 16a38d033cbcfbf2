import middy from '@middy/core';
import { shopifyStock } from '../../shared/connectors/shopify/stock.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(shopifyStock, process.env));
