import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { customStore } from '../../shared/connectors/custom-store/index.ts';
import { compose } from './compose.ts';

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>().handler(
  compose(customStore, process.env),
);
