import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { stripe } from '../../shared/connectors/stripe/index.ts';
import { compose } from './compose.ts';

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(compose(stripe, process.env));
