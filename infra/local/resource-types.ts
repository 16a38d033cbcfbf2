import * as z from 'zod';

/** What the references to one resource are made of. */
export interface ResourceNames {
  /** Physical name: as the template gives it, or made from stack and logical id. */
  readonly name: string;
  /** A stable opaque id for resources that AWS names itself. */
  readonly id: string;
  readonly region: string;
  readonly accountId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** `http://127.0.0.1:<port>` of SQS and of the HTTP API. */
  readonly urls: { readonly sqs: string; readonly api: string };
}

export interface ResourceType {
  /** Every property that is known, strictly: what is not here stops the start. */
  readonly schema: z.ZodObject;
  /** Property that holds the physical name. */
  readonly nameProperty?: string;
  /** Longest physical name that AWS takes. */
  readonly nameLength?: number;
  readonly ref: (names: ResourceNames) => string;
  readonly attributes: Readonly<Record<string, (names: ResourceNames) => string>>;
  /** Why the whole type does nothing on this machine. */
  readonly withoutEffect?: string;
  /** Known properties that do nothing on this machine, and why. */
  readonly propertiesWithoutEffect?: Readonly<Record<string, string>>;
}

const any = z.unknown().optional();
const text = z.string().min(1);
/** Templates may carry numbers and booleans as strings. */
const number = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
const boolean = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')]);

const arn = (service: string, resource: (names: ResourceNames) => string) => (names: ResourceNames) =>
  `arn:aws:${service}:${names.region}:${names.accountId}:${resource(names)}`;
const byName = ({ name }: ResourceNames) => name;

const KeySchema = z
  .array(z.strictObject({ AttributeName: text, KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const Projection = z.strictObject({
  ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
  NonKeyAttributes: z.array(text).optional(),
});
export const Table = z.strictObject({
  TableName: text.optional(),
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: text, AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema,
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: text,
        KeySchema,
        Projection,
        ContributorInsightsSpecification: any,
        OnDemandThroughput: any,
        WarmThroughput: any,
      }),
    )
    .optional(),
  LocalSecondaryIndexes: z.array(z.strictObject({ IndexName: text, KeySchema, Projection })).optional(),
  TimeToLiveSpecification: any,
  PointInTimeRecoverySpecification: any,
  SSESpecification: any,
  DeletionProtectionEnabled: any,
  ContributorInsightsSpecification: any,
  OnDemandThroughput: any,
  WarmThroughput: any,
  TableClass: any,
  ResourcePolicy: any,
  Tags: any,
});

export const Queue = z.strictObject({
  QueueName: text.optional(),
  VisibilityTimeout: number.optional(),
  DelaySeconds: number.optional(),
  MessageRetentionPeriod: number.optional(),
  MaximumMessageSize: number.optional(),
  ReceiveMessageWaitTimeSeconds: number.optional(),
  RedrivePolicy: z.strictObject({ deadLetterTargetArn: text, maxReceiveCount: number }).optional(),
  RedriveAllowPolicy: any,
  SqsManagedSseEnabled: any,
  KmsMasterKeyId: any,
  KmsDataKeyReusePeriodSeconds: any,
  Tags: any,
});

export const EventBus = z.strictObject({
  Name: text,
  Description: any,
  KmsKeyIdentifier: any,
  DeadLetterConfig: any,
  LogConfig: any,
  Policy: any,
  Tags: any,
});

const DeadLetterConfig = z.strictObject({ Arn: text }).optional();
export const Rule = z.strictObject({
  Name: text.optional(),
  Description: any,
  EventBusName: text.optional(),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: text.optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  RoleArn: any,
  Tags: any,
  /** InputPath, InputTransformer and the targets of other services are not here, so they are refused by name. */
  Targets: z
    .array(
      z.strictObject({
        Id: text,
        Arn: text,
        Input: z.string().optional(),
        DeadLetterConfig,
        RetryPolicy: any,
        SqsParameters: z.strictObject({ MessageGroupId: text }).optional(),
        RoleArn: any,
      }),
    )
    .optional(),
});

export const Schedule = z.strictObject({
  Name: text.optional(),
  GroupName: any,
  Description: any,
  ScheduleExpression: text,
  ScheduleExpressionTimezone: text.optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  FlexibleTimeWindow: z.looseObject({ Mode: z.enum(['OFF', 'FLEXIBLE']) }),
  KmsKeyArn: any,
  Target: z.strictObject({
    Arn: text,
    RoleArn: any,
    Input: z.string().optional(),
    RetryPolicy: any,
    DeadLetterConfig,
    SqsParameters: z.strictObject({ MessageGroupId: text }).optional(),
  }),
});

export const LambdaFunction = z.strictObject({
  FunctionName: text.optional(),
  Description: any,
  Code: z.strictObject({ S3Bucket: any, S3Key: text }),
  Handler: z.string().regex(/^[^.]+(\.[^.]+)+$/),
  Runtime: z.literal('nodejs24.x'),
  Architectures: z
    .array(z.enum(['arm64', 'x86_64']))
    .length(1)
    .optional(),
  Timeout: number.optional(),
  MemorySize: number.optional(),
  Environment: z
    .strictObject({
      Variables: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
        .optional(),
    })
    .optional(),
  ReservedConcurrentExecutions: number.optional(),
  DeadLetterConfig: z.strictObject({ TargetArn: text }).optional(),
  Role: any,
  LoggingConfig: any,
  TracingConfig: any,
  RecursiveLoop: any,
  Tags: any,
});

export const EventInvokeConfig = z.strictObject({
  FunctionName: text,
  Qualifier: z.literal('$LATEST'),
  MaximumRetryAttempts: number.optional(),
  MaximumEventAgeInSeconds: number.optional(),
  DestinationConfig: z
    .strictObject({ OnFailure: z.strictObject({ Destination: text }).optional() })
    .optional(),
});

export const EventSourceMapping = z.strictObject({
  EventSourceArn: text,
  FunctionName: text,
  BatchSize: number.optional(),
  MaximumBatchingWindowInSeconds: number.optional(),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).optional(),
  ScalingConfig: z.strictObject({ MaximumConcurrency: number }).optional(),
  Enabled: boolean.optional(),
  MetricsConfig: any,
  Tags: any,
});

export const HttpApi = z.strictObject({
  Name: text,
  ProtocolType: z.literal('HTTP'),
  Description: any,
  DisableExecuteApiEndpoint: any,
  Tags: any,
});
export const HttpRoute = z.strictObject({
  ApiId: text,
  RouteKey: text,
  Target: z.string().startsWith('integrations/'),
  AuthorizationType: z.literal('NONE').optional(),
  OperationName: any,
});
export const HttpIntegration = z.strictObject({
  ApiId: text,
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: text,
  IntegrationMethod: any,
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: number.optional(),
  ConnectionType: z.literal('INTERNET').optional(),
  Description: any,
});
export const HttpStage = z.strictObject({
  ApiId: text,
  StageName: z.literal('$default'),
  AutoDeploy: any,
  Description: any,
  AccessLogSettings: any,
  DefaultRouteSettings: any,
  RouteSettings: any,
  Tags: any,
});

export const Secret = z.strictObject({
  Name: text.optional(),
  Description: z.string().optional(),
  SecretString: z.string().optional(),
  GenerateSecretString: z
    .strictObject({
      SecretStringTemplate: z.string().optional(),
      GenerateStringKey: z.string().optional(),
      PasswordLength: number.optional(),
      ExcludeCharacters: any,
      ExcludeLowercase: any,
      ExcludeNumbers: any,
      ExcludePunctuation: any,
      ExcludeUppercase: any,
      IncludeSpace: any,
      RequireEachIncludedType: any,
    })
    .optional(),
  KmsKeyId: any,
  ReplicaRegions: any,
  Type: any,
  Tags: any,
});

const known = (...names: string[]) => z.strictObject(Object.fromEntries(names.map((name) => [name, any])));
const inert = (
  withoutEffect: string,
  properties: string[],
  more: Partial<ResourceType> = {},
): ResourceType => ({ schema: known(...properties), ref: byName, attributes: {}, withoutEffect, ...more });

const NO_IAM = 'permissions are not checked on this machine';
const NO_ALARMS = 'there are no CloudWatch metrics on this machine';
const ENCRYPTED = 'encryption at rest is left to the disk';
const TAGS = 'tags are for bills and policies';
const ROLE = NO_IAM;

const topicArn = arn('sns', byName);
const secretArn = arn('secretsmanager', ({ name, id }) => `secret:${name}-${id.slice(0, 6)}`);
const ruleArn = arn('events', ({ name, properties }) => {
  const bus = String(properties['EventBusName'] ?? 'default')
    .split('/')
    .at(-1);
  return bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`;
});

/** Resource types that a template may hold. A type that is not here stops the start. */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::DynamoDB::Table': {
    schema: Table,
    nameProperty: 'TableName',
    nameLength: 255,
    ref: byName,
    attributes: { Arn: arn('dynamodb', ({ name }) => `table/${name}`) },
    propertiesWithoutEffect: {
      TimeToLiveSpecification: 'dynalite does not expire items',
      PointInTimeRecoverySpecification: 'there are no backups here',
      SSESpecification: ENCRYPTED,
      DeletionProtectionEnabled: 'nothing here deletes a table',
      ContributorInsightsSpecification: NO_ALARMS,
      OnDemandThroughput: 'throughput is not limited here',
      WarmThroughput: 'throughput is not limited here',
      TableClass: 'storage classes are about cost',
      ResourcePolicy: NO_IAM,
      Tags: TAGS,
    },
  },
  'AWS::SQS::Queue': {
    schema: Queue,
    nameProperty: 'QueueName',
    nameLength: 80,
    ref: ({ urls, accountId, name }) => `${urls.sqs}/${accountId}/${name}`,
    attributes: {
      Arn: arn('sqs', byName),
      QueueName: byName,
      QueueUrl: ({ urls, accountId, name }) => `${urls.sqs}/${accountId}/${name}`,
    },
    propertiesWithoutEffect: {
      RedriveAllowPolicy: NO_IAM,
      SqsManagedSseEnabled: ENCRYPTED,
      KmsMasterKeyId: ENCRYPTED,
      KmsDataKeyReusePeriodSeconds: ENCRYPTED,
      Tags: TAGS,
    },
  },
  'AWS::Events::EventBus': {
    schema: EventBus,
    nameProperty: 'Name',
    ref: byName,
    attributes: { Arn: arn('events', ({ name }) => `event-bus/${name}`), Name: byName },
    propertiesWithoutEffect: {
      KmsKeyIdentifier: ENCRYPTED,
      DeadLetterConfig: 'events are matched in this process, there is nothing to decrypt',
      LogConfig: 'there is no delivery log here',
      Policy: NO_IAM,
      Tags: TAGS,
    },
  },
  'AWS::Events::Rule': {
    schema: Rule,
    nameProperty: 'Name',
    nameLength: 64,
    ref: byName,
    attributes: { Arn: ruleArn },
    propertiesWithoutEffect: { RoleArn: ROLE, Tags: TAGS },
  },
  'AWS::Scheduler::Schedule': {
    schema: Schedule,
    nameProperty: 'Name',
    nameLength: 64,
    ref: byName,
    attributes: { Arn: arn('scheduler', ({ name }) => `schedule/default/${name}`) },
    propertiesWithoutEffect: {
      GroupName: 'groups only gather schedules',
      KmsKeyArn: ENCRYPTED,
    },
  },
  'AWS::Lambda::Function': {
    schema: LambdaFunction,
    nameProperty: 'FunctionName',
    nameLength: 64,
    ref: byName,
    attributes: { Arn: arn('lambda', ({ name }) => `function:${name}`) },
    propertiesWithoutEffect: {
      Architectures: 'functions run on the processor of this machine',
      MemorySize: 'told to the function, not enforced',
      Role: ROLE,
      LoggingConfig: 'lines go to the log of the local stack as written',
      TracingConfig: 'there is no X-Ray here',
      RecursiveLoop: 'loops are not detected here',
      Tags: TAGS,
    },
  },
  'AWS::Lambda::EventInvokeConfig': { schema: EventInvokeConfig, ref: ({ id }) => id, attributes: {} },
  'AWS::Lambda::EventSourceMapping': {
    schema: EventSourceMapping,
    ref: ({ id }) => id,
    attributes: {
      Id: ({ id }) => id,
      EventSourceMappingArn: arn('lambda', ({ id }) => `event-source-mapping:${id}`),
    },
    propertiesWithoutEffect: { MetricsConfig: NO_ALARMS, Tags: TAGS },
  },
  'AWS::ApiGatewayV2::Api': {
    schema: HttpApi,
    ref: ({ id }) => id.slice(0, 10).replace(/-/g, '0'),
    attributes: {
      ApiEndpoint: ({ urls }) => urls.api,
      ApiId: ({ id }) => id.slice(0, 10).replace(/-/g, '0'),
    },
    propertiesWithoutEffect: { DisableExecuteApiEndpoint: 'there is one endpoint here', Tags: TAGS },
  },
  'AWS::ApiGatewayV2::Route': {
    schema: HttpRoute,
    ref: ({ id }) => id.slice(0, 8),
    attributes: { RouteId: ({ id }) => id.slice(0, 8) },
  },
  'AWS::ApiGatewayV2::Integration': {
    schema: HttpIntegration,
    ref: ({ id }) => id.slice(0, 8),
    attributes: { IntegrationId: ({ id }) => id.slice(0, 8) },
  },
  'AWS::ApiGatewayV2::Stage': {
    schema: HttpStage,
    ref: ({ properties }) => String(properties['StageName']),
    attributes: {},
    propertiesWithoutEffect: {
      AutoDeploy: 'routes are in place at the start',
      AccessLogSettings: 'there is no access log here',
      DefaultRouteSettings: 'requests are not throttled here',
      RouteSettings: 'requests are not throttled here',
      Tags: TAGS,
    },
  },
  'AWS::SecretsManager::Secret': {
    schema: Secret,
    nameProperty: 'Name',
    nameLength: 512,
    ref: secretArn,
    attributes: { Id: secretArn },
    propertiesWithoutEffect: {
      KmsKeyId: ENCRYPTED,
      ReplicaRegions: 'there is one region here',
      Type: 'the type does not change the value',
      Tags: TAGS,
    },
  },

  'AWS::CDK::Metadata': inert('usage statistics of the CDK', ['Analytics']),
  'AWS::IAM::Role': inert(
    NO_IAM,
    [
      ...['AssumeRolePolicyDocument', 'Description', 'ManagedPolicyArns', 'MaxSessionDuration', 'Path'],
      ...['PermissionsBoundary', 'Policies', 'RoleName', 'Tags'],
    ],
    {
      nameProperty: 'RoleName',
      attributes: {
        Arn: ({ accountId, name }) => `arn:aws:iam::${accountId}:role/${name}`,
        RoleId: ({ id }) => id,
      },
    },
  ),
  'AWS::IAM::Policy': inert(NO_IAM, ['PolicyDocument', 'PolicyName', 'Roles', 'Users', 'Groups']),
  'AWS::IAM::ManagedPolicy': inert(
    NO_IAM,
    ['Description', 'ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles', 'Users', 'Groups'],
    { ref: ({ accountId, name }) => `arn:aws:iam::${accountId}:policy/${name}` },
  ),
  'AWS::Lambda::Permission': inert(NO_IAM, [
    ...['Action', 'FunctionName', 'Principal', 'SourceArn', 'SourceAccount', 'EventSourceToken'],
    ...['PrincipalOrgID', 'FunctionUrlAuthType', 'InvokedViaFunctionUrl'],
  ]),
  'AWS::SQS::QueuePolicy': inert(NO_IAM, ['PolicyDocument', 'Queues']),
  'AWS::SecretsManager::ResourcePolicy': inert(NO_IAM, ['SecretId', 'ResourcePolicy', 'BlockPublicPolicy']),
  'AWS::Events::EventBusPolicy': inert(NO_IAM, ['EventBusName', 'StatementId', 'Statement']),
  'AWS::Events::Archive': inert(
    'replay reads the archive of the deployed bus',
    ['ArchiveName', 'Description', 'EventPattern', 'KmsKeyIdentifier', 'RetentionDays', 'SourceArn'],
    {
      nameProperty: 'ArchiveName',
      nameLength: 48,
      attributes: { Arn: arn('events', ({ name }) => `archive/${name}`), ArchiveName: byName },
    },
  ),
  'AWS::Scheduler::ScheduleGroup': inert('groups only gather schedules', ['Name', 'Tags'], {
    nameProperty: 'Name',
    attributes: { Arn: arn('scheduler', ({ name }) => `schedule-group/${name}`) },
  }),
  'AWS::Logs::LogGroup': inert(
    'lines go to the log of the local stack',
    [
      ...['LogGroupName', 'RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'DataProtectionPolicy'],
      ...['FieldIndexPolicies', 'ResourcePolicyDocument', 'DeletionProtectionEnabled', 'Tags'],
    ],
    { nameProperty: 'LogGroupName', attributes: { Arn: arn('logs', ({ name }) => `log-group:${name}:*`) } },
  ),
  'AWS::Logs::MetricFilter': inert(NO_ALARMS, [
    ...['FilterName', 'FilterPattern', 'LogGroupName', 'MetricTransformations', 'ApplyOnTransformedLogs'],
    ...['EmitSystemFieldDimensions', 'FieldSelectionCriteria'],
  ]),
  'AWS::Logs::QueryDefinition': inert('there is no Logs Insights here', [
    ...['Name', 'QueryString', 'LogGroupNames', 'QueryLanguage', 'Parameters'],
  ]),
  'AWS::Logs::ResourcePolicy': inert(NO_IAM, ['PolicyName', 'PolicyDocument', 'ResourceArn']),
  'AWS::CloudWatch::Alarm': inert(
    NO_ALARMS,
    [
      ...['AlarmName', 'AlarmDescription', 'AlarmActions', 'OKActions', 'InsufficientDataActions'],
      ...['ActionsEnabled', 'ComparisonOperator', 'DatapointsToAlarm', 'Dimensions', 'EvaluationPeriods'],
      ...['EvaluateLowSampleCountPercentile', 'ExtendedStatistic', 'MetricName', 'Metrics', 'Namespace'],
      ...['Period', 'Statistic', 'Tags', 'Threshold', 'ThresholdMetricId', 'TreatMissingData', 'Unit'],
    ],
    { nameProperty: 'AlarmName', attributes: { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) } },
  ),
  'AWS::CloudWatch::CompositeAlarm': inert(
    NO_ALARMS,
    [
      ...['AlarmName', 'AlarmDescription', 'AlarmActions', 'AlarmRule', 'OKActions', 'ActionsEnabled'],
      ...['InsufficientDataActions', 'ActionsSuppressor', 'ActionsSuppressorExtensionPeriod'],
      ...['ActionsSuppressorWaitPeriod', 'Tags'],
    ],
    { nameProperty: 'AlarmName', attributes: { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) } },
  ),
  'AWS::CloudWatch::Dashboard': inert(NO_ALARMS, ['DashboardName', 'DashboardBody'], {
    nameProperty: 'DashboardName',
  }),
  'AWS::SNS::Topic': inert(
    'nobody is paged from this machine',
    [
      ...['TopicName', 'DisplayName', 'KmsMasterKeyId', 'FifoTopic', 'ContentBasedDeduplication'],
      ...['ArchivePolicy', 'DataProtectionPolicy', 'DeliveryStatusLogging', 'FifoThroughputScope'],
      ...['SignatureVersion', 'Subscription', 'Tags', 'TracingConfig'],
    ],
    { nameProperty: 'TopicName', ref: topicArn, attributes: { TopicArn: topicArn, TopicName: byName } },
  ),
  'AWS::SNS::TopicPolicy': inert(NO_IAM, ['PolicyDocument', 'Topics']),
  'AWS::SNS::TopicInlinePolicy': inert(NO_IAM, ['PolicyDocument', 'TopicArn']),
  'AWS::SNS::Subscription': inert('nobody is paged from this machine', [
    ...['TopicArn', 'Protocol', 'Endpoint', 'FilterPolicy', 'FilterPolicyScope', 'RawMessageDelivery'],
    ...['RedrivePolicy', 'Region', 'DeliveryPolicy', 'ReplayPolicy', 'SubscriptionRoleArn'],
  ]),
  'AWS::KMS::Key': inert(
    ENCRYPTED,
    [
      ...['Description', 'Enabled', 'EnableKeyRotation', 'KeyPolicy', 'KeySpec', 'KeyUsage', 'MultiRegion'],
      ...['Origin', 'PendingWindowInDays', 'RotationPeriodInDays', 'BypassPolicyLockoutSafetyCheck', 'Tags'],
    ],
    {
      ref: ({ id }) => id,
      attributes: { Arn: arn('kms', ({ id }) => `key/${id}`), KeyId: ({ id }) => id },
    },
  ),
  'AWS::KMS::Alias': inert(ENCRYPTED, ['AliasName', 'TargetKeyId'], { nameProperty: 'AliasName' }),
  'AWS::Budgets::Budget': inert('nothing here costs money', [
    ...['Budget', 'NotificationsWithSubscribers', 'ResourceTags'],
  ]),
};
