import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { shopify } from '../../shared/connectors/shopify/index.ts';
import { compose } from './compose.ts';

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(compose(shopify, process.env));
