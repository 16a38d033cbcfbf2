import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * The SDK has no limit of its own: one answer that never comes would use up the whole time of a function, and its
 * retries with it. A webhook function has 15 s, so one silent call leaves room for a second.
 */
export const REQUEST_LIMITS = {
  connectionTimeout: 2_000,
  requestTimeout: 6_000,
  throwOnRequestTimeout: true,
};
const limits = () => ({ requestHandler: { ...REQUEST_LIMITS } });

/**
 * The SDK's clients. Region, credentials and (on a laptop) endpoints come from the environment variables that
 * the SDK itself reads; there is no branch for "local" anywhere.
 */
export const dynamoDb = (): DynamoDBClient => new DynamoDBClient(limits());
export const eventBridge = (): EventBridgeClient => new EventBridgeClient(limits());
export const secretsManager = (): SecretsManagerClient => new SecretsManagerClient(limits());
export const sqs = (): SQSClient => new SQSClient(limits());
