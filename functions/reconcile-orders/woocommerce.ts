import middy from '@middy/core';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(woocommerce, process.env));
