import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { readAssembly } from '../../../infra/local/assembly.ts';
import { LocalStackError } from '../../../infra/local/local-stack-error.ts';
import { makePlan, type Plan, type PlanOptions } from '../../../infra/local/plan.ts';
import { type HandWrittenStack, lambda, type Resources, writeAssembly } from './hand-written-assembly.ts';

const written: string[] = [];
afterEach(() => {
  for (const directory of written.splice(0)) rmSync(directory, { recursive: true });
});
const URLS = { sqs: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2' };
const planOf = (
  stacks: Record<string, HandWrittenStack>,
  options: Omit<PlanOptions, 'urls'> = {},
  artifacts: Record<string, unknown> = {},
): Plan => {
  const directory = writeAssembly(stacks, { a: 'export const handler = () => 1;' }, artifacts);
  written.push(directory);
  return makePlan(readAssembly(directory), { urls: URLS, ...options });
};
const plan = (resources: Resources, more: Partial<HandWrittenStack> = {}) =>
  planOf({ App: { resources, ...more } });
const problems = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof LocalStackError) return error.problems;
    throw error;
  }
  return [];
};

const queue = (Properties: Record<string, unknown> = {}) => ({ Type: 'AWS::SQS::Queue', Properties });
const ref = (name: string) => ({ Ref: name });
const att = (id: string, attribute: string) => ({ 'Fn::GetAtt': [id, attribute] });

describe('what is not known stops the start, by name', () => {
  it.each<[string, Resources, string]>([
    [
      'a resource type',
      { Bucket: { Type: 'AWS::S3::Bucket' } },
      'App/Bucket (AWS::S3::Bucket): resource type AWS::S3::Bucket is not known to the local stack',
    ],
    [
      'a property',
      { Q: queue({ FifoQueue: true }) },
      'App/Q (AWS::SQS::Queue): property FifoQueue is not known to the local stack',
    ],
    [
      'a property inside a property',
      { Q: queue({ RedrivePolicy: { deadLetterTargetArn: 'x', maxReceiveCount: 1, extra: 1 } }) },
      'App/Q (AWS::SQS::Queue): property RedrivePolicy.extra is not known to the local stack',
    ],
    [
      'a property of a type without effect',
      { R: { Type: 'AWS::IAM::Role', Properties: { Surprise: 1 } } },
      'App/R (AWS::IAM::Role): property Surprise is not known to the local stack',
    ],
    [
      'another runtime',
      { F: lambda('a', { Runtime: 'python3.13' }) },
      'App/F (AWS::Lambda::Function): property Runtime: Invalid input: expected "nodejs24.x"',
    ],
    [
      'layers',
      { F: lambda('a', { Layers: ['x'] }) },
      'App/F (AWS::Lambda::Function): property Layers is not known to the local stack',
    ],
    [
      'an attribute',
      { F: lambda('a', { Environment: { Variables: { A: att('Q', 'Color') } } }), Q: queue() },
      'App/F (AWS::Lambda::Function): attribute Q.Color is not known to the local stack',
    ],
    [
      'an intrinsic function',
      { Q: queue({ QueueName: { 'Fn::Cidr': [] } }) },
      'App/Q (AWS::SQS::Queue): Fn::Cidr is not known here',
    ],
    [
      'a reference to nothing',
      { Q: queue({ QueueName: ref('Nobody') }) },
      'App/Q (AWS::SQS::Queue): there is no resource, parameter or pseudo parameter Nobody',
    ],
    [
      'a reference to a resource of an unknown type',
      { Bucket: { Type: 'AWS::S3::Bucket' }, Q: queue({ QueueName: ref('Bucket') }) },
      'App/Q (AWS::SQS::Queue): it refers to Bucket, whose type AWS::S3::Bucket is not known',
    ],
    [
      'an input transformer',
      {
        Q: queue(),
        R: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { source: ['a'] },
            Targets: [{ Id: 'T', Arn: att('Q', 'Arn'), InputTransformer: { InputTemplate: '' } }],
          },
        },
      },
      'App/R (AWS::Events::Rule): property Targets.0.InputTransformer is not known to the local stack',
    ],
    [
      'a pattern operator',
      {
        R: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: [{ cidr: '10.0.0.0/8' }] } } },
      },
      'App/R (AWS::Events::Rule): event pattern source: operator cidr is not known to the local stack',
    ],
    [
      'a schedule',
      { R: { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'rate(1 fortnight)' } } },
      'App/R (AWS::Events::Rule): schedule rate(1 fortnight): neither rate(…) nor cron(…)',
    ],
    [
      'filter criteria',
      {
        F: lambda('a'),
        Q: queue(),
        M: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: att('Q', 'Arn'), FunctionName: ref('F'), FilterCriteria: {} },
        },
      },
      'App/M (AWS::Lambda::EventSourceMapping): property FilterCriteria is not known to the local stack',
    ],
    [
      'code that is no asset',
      { F: lambda('b') },
      'App/F (AWS::Lambda::Function): property Code.S3Key: b.zip is no asset folder of this assembly',
    ],
    [
      'an authorizer',
      {
        A: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'x', ProtocolType: 'HTTP' } },
        R: {
          Type: 'AWS::ApiGatewayV2::Route',
          Properties: {
            ...{ ApiId: ref('A'), RouteKey: 'GET /', Target: 'integrations/x', AuthorizerId: 'y' },
            AuthorizationType: 'JWT',
          },
        },
      },
      'App/R (AWS::ApiGatewayV2::Route): property AuthorizationType: Invalid input: expected "NONE"',
    ],
    [
      'a dead letter target outside',
      { Q: queue({ RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:x:1:y', maxReceiveCount: 3 } }) },
      'App/Q (AWS::SQS::Queue): dead letter target arn:aws:sqs:x:1:y is no queue of these stacks',
    ],
    [
      'a resource attribute',
      { Q: { ...queue(), CreationPolicy: {} } },
      'App.template.json: Resources.Q Unrecognized key: "CreationPolicy"',
    ],
  ])('%s', (_name, resources, expected) => {
    expect(problems(() => plan(resources))).toContain(expected);
  });

  it('lists every problem, not only the first', () => {
    const found = problems(() => plan({ A: { Type: 'AWS::S3::Bucket' }, Q: queue({ FifoQueue: true }) }));
    expect(found).toHaveLength(2);
  });

  it.each([
    [
      'a transform',
      { Transform: 'AWS::Serverless-2016-10-31' },
      'App.template.json:  Unrecognized key: "Transform"',
    ],
    ['a parameter without default', { Parameters: { P: { Type: 'String' } } }, 'parameter P has no default'],
  ])('%s', (_name, sections, expected) => {
    const found = problems(() => plan({ Q: queue({ QueueName: ref('P') }) }, { sections }));
    expect(found.join()).toContain(expected);
  });

  it('a nested assembly', () => {
    const work = () => planOf({ App: { resources: {} } }, {}, { stage: { type: 'cdk:cloud-assembly' } });
    expect(problems(work)).toEqual([
      'manifest.json: artifact stage of type cdk:cloud-assembly is not known here',
    ]);
  });
});

describe('references', () => {
  it('works out every intrinsic function that the CDK emits', () => {
    const found = plan(
      {
        T: {
          Type: 'AWS::DynamoDB::Table',
          Properties: {
            ...{ TableName: 'ledger', BillingMode: 'PAY_PER_REQUEST' },
            AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          },
        },
        S: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'shop/one' } },
        Q: queue(),
        F: lambda('a', {
          Environment: {
            Variables: {
              TABLE: ref('T'),
              TABLE_ARN: att('T', 'Arn'),
              QUEUE: ref('Q'),
              JOINED: { 'Fn::Join': ['/', ['a', ref('T'), ref('AWS::Region')]] },
              SUBBED: { 'Fn::Sub': `\${T}-\${AWS::AccountId}-\${!Literal}-\${T.Arn}` },
              WITH_VARIABLES: { 'Fn::Sub': [`\${X}!`, { X: ref('T') }] },
              SECRET: {
                'Fn::Select': [
                  0,
                  { 'Fn::Split': ['-', { 'Fn::Select': [6, { 'Fn::Split': [':', ref('S')] }] }] },
                ],
              },
              CHOSEN: { 'Fn::If': ['IsSmall', 'small', 'large'] },
              MAPPED: { 'Fn::FindInMap': ['Sizes', ref('AWS::Partition'), 'x'] },
              GONE: ref('AWS::NoValue'),
              PARAMETER: ref('P'),
              STACK: ref('AWS::StackName'),
            },
          },
        }),
        Skipped: { ...queue({ FifoQueue: true }), Condition: 'IsLarge' },
      },
      {
        sections: {
          Parameters: { P: { Type: 'String', Default: 'given' } },
          Mappings: { Sizes: { aws: { x: 'xl' } } },
          Conditions: {
            IsSmall: { 'Fn::Equals': [ref('AWS::Region'), 'us-east-1'] },
            IsLarge: { 'Fn::Not': [{ Condition: 'IsSmall' }] },
          },
        },
      },
    );
    expect(found.functions[0]?.environment).toEqual({
      TABLE: 'ledger',
      TABLE_ARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/ledger',
      QUEUE: 'http://127.0.0.1:1/000000000000/App-Q',
      JOINED: 'a/ledger/us-east-1',
      SUBBED: `ledger-000000000000-\${Literal}-arn:aws:dynamodb:us-east-1:000000000000:table/ledger`,
      WITH_VARIABLES: 'ledger!',
      SECRET: 'shop/one',
      CHOSEN: 'small',
      MAPPED: 'xl',
      PARAMETER: 'given',
      STACK: 'App',
    });
  });

  it('imports what a stack deployed earlier exports', () => {
    const exporting: HandWrittenStack = {
      resources: { Q: queue() },
      outputs: {
        Out: { Value: att('Q', 'Arn'), Export: { Name: { 'Fn::Join': [':', ['Core', 'QueueArn']] } } },
      },
    };
    const importing = (dependsOn: string[]): HandWrittenStack => ({
      dependsOn,
      resources: {
        Q: queue({
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::ImportValue': 'Core:QueueArn' }, maxReceiveCount: 3 },
        }),
      },
    });
    const found = planOf({ App: importing(['Core']), Core: exporting });
    expect(found.queues.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['Core-Q', {}],
      [
        'App-Q',
        {
          RedrivePolicy:
            '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:Core-Q","maxReceiveCount":3}',
        },
      ],
    ]);
    expect(found.outputs).toEqual({ 'Core.Out': 'arn:aws:sqs:us-east-1:000000000000:Core-Q' });
    expect(problems(() => planOf({ App: importing([]), Core: exporting }))).toEqual([
      'App/Q (AWS::SQS::Queue): no stack before it exports Core:QueueArn',
    ]);
  });

  it('sends the URL that the CDK builds for an API to the local front', () => {
    const found = plan(
      { A: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'x', ProtocolType: 'HTTP' } } },
      {
        outputs: {
          Url: {
            Value: {
              'Fn::Join': [
                '',
                ['https://', ref('A'), '.execute-api.', ref('AWS::Region'), '.', ref('AWS::URLSuffix'), '/x'],
              ],
            },
          },
        },
      },
    );
    expect(found.outputs).toEqual({ 'App.Url': 'http://127.0.0.1:2/x' });
  });

  it('takes the region from the first stack that names one, unless told', () => {
    const stacks = { App: { resources: { Q: queue() }, environment: 'aws://unknown-account/eu-west-1' } };
    expect(planOf(stacks).queues[0]?.arn).toBe('arn:aws:sqs:eu-west-1:000000000000:App-Q');
    expect(planOf(stacks, { region: 'us-west-2' }).queues[0]?.arn).toBe(
      'arn:aws:sqs:us-west-2:000000000000:App-Q',
    );
  });

  it('shortens names that AWS would refuse, and keeps them apart', () => {
    const long = 'L'.repeat(70);
    const names = plan({ [`${long}1`]: lambda('a'), [`${long}2`]: lambda('a') }).functions.map(
      ({ name }) => name,
    );
    expect(names.map((name) => name.length)).toEqual([64, 64]);
    expect(new Set(names).size).toBe(2);
  });
});

describe('what a template leaves open', () => {
  const consumer = (properties: Record<string, unknown>, mapping: Record<string, unknown>): Resources => ({
    F: lambda('a', properties),
    Q: queue(),
    M: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: att('Q', 'Arn'), FunctionName: ref('F'), ...mapping },
    },
  });
  it.each([
    ['nothing stated', {}, {}, undefined, 5, 5],
    ['the event source states it', {}, { ScalingConfig: { MaximumConcurrency: 2 } }, undefined, 2, 2],
    ['the function reserves', { ReservedConcurrentExecutions: 3 }, {}, undefined, 3, 5],
    [
      'the caller caps',
      { ReservedConcurrentExecutions: 30 },
      { ScalingConfig: { MaximumConcurrency: 20 } },
      4,
      4,
      4,
    ],
  ])('concurrency: %s', (_name, properties, mapping, poolSize, ofFunction, ofMapping) => {
    const found = planOf(
      { App: { resources: consumer(properties, mapping) } },
      poolSize ? { poolSize: () => poolSize } : {},
    );
    expect([found.functions[0]?.concurrency, found.mappings[0]?.concurrency]).toEqual([
      ofFunction,
      ofMapping,
    ]);
  });

  it("fills in AWS's defaults", () => {
    const found = plan(consumer({}, {}));
    expect(found.functions[0]).toMatchObject({ timeoutS: 3, memoryMb: 128, asyncRetries: 2 });
    expect(found.mappings[0]).toMatchObject({
      batchSize: 10,
      windowS: 0,
      reportsItemFailures: false,
      enabled: true,
    });
  });

  it('says what has no effect, and why', () => {
    const found = plan({
      R: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } },
      Q: queue({ SqsManagedSseEnabled: true }),
    });
    expect(found.withoutEffect).toEqual([
      {
        stack: 'App',
        logicalId: 'R',
        type: 'AWS::IAM::Role',
        reason: 'permissions are not checked on this machine',
      },
      {
        ...{ stack: 'App', logicalId: 'Q', type: 'AWS::SQS::Queue', property: 'SqsManagedSseEnabled' },
        reason: 'encryption at rest is left to the disk',
      },
    ]);
  });
});
