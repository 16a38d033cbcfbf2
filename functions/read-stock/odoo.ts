import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { compose } from './compose.ts';

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(compose(odoo, process.env));
