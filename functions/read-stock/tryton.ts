import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { compose } from './compose.ts';

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(compose(tryton, process.env));
