import middy from '@middy/core';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(process.env));
