import middy from '@middy/core';
import { shopify } from '../../shared/connectors/shopify/index.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(shopify, process.env));
