import middy from '@middy/core';
import { woocommerceStock } from '../../shared/connectors/woocommerce/stock.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(woocommerceStock, process.env));
