import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { customStore } from '../../shared/connectors/custom-store/index.ts';
import { compose } from './compose.ts';

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(compose(customStore, process.env));
