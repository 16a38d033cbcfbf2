import middy from '@middy/core';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(tryton, process.env));
