import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * The SDK's clients. Region, credentials and (on a laptop) endpoints come from the environment variables that
 * the SDK itself reads; there is no branch for "local" anywhere.
 */
export const dynamoDb = (): DynamoDBClient => new DynamoDBClient({});
export const eventBridge = (): EventBridgeClient => new EventBridgeClient({});
export const secretsManager = (): SecretsManagerClient => new SecretsManagerClient({});
export const sqs = (): SQSClient => new SQSClient({});
