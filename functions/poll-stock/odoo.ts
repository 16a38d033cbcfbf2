import middy from '@middy/core';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { compose } from './compose.ts';

export const handler = middy().handler(compose(odoo, process.env));
