import middy from '@middy/core';
import { customStoreStock } from '../../shared/connectors/custom-store/stock.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(customStoreStock, process.env));
