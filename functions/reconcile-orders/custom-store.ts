import middy from '@middy/core';
import { customStore } from '../../shared/connectors/custom-store/index.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(customStore, process.env));
