import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { compose } from './compose.ts';

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>().handler(
  compose(woocommerce, process.env),
);
