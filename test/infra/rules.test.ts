import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { connectionsOf } from '../../infra/settings.ts';
import { SANDBOX, type SynthesisedStack, synthesise, TWENTY } from './assembly.ts';

const HEADINGS = [
  ...readFileSync(new URL('../../infra/docs/runbook.md', import.meta.url), 'utf8').matchAll(/^### (.+)$/gm),
].map(([, heading]) => heading);

/** Terminal queues without a redrive policy, and why. */
const TERMINAL = {
  Quarantine: 'raw deliveries for people; no function reads it, so nothing can fail and be moved on',
};

const attribute = (value: { 'Fn::GetAtt'?: [string, string] } | undefined): string =>
  value?.['Fn::GetAtt']?.[0] ?? '';
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

const resourcesOf = (stacks: readonly SynthesisedStack[], type: string) =>
  stacks.flatMap((stack) =>
    stack.all(type).map(([id, { Properties, ...rest }]) => ({
      stack,
      id,
      name: `${stack.name}/${id}`,
      properties: Properties,
      ...rest,
    })),
  );

const startedMs = Date.now();
const STAGES = [
  ['the sandbox', synthesise(SANDBOX), SANDBOX],
  ['twenty connections', synthesise(TWENTY), TWENTY],
] as const;
console.log(`synthesised both stages in ${Date.now() - startedMs} ms`);

it('every article of the runbook has an alarm, in one stage or another', () => {
  const alarms = STAGES.flatMap(([, stacks]) => resourcesOf(stacks, 'AWS::CloudWatch::Alarm'));
  const used = alarms.map(({ properties }) => properties.AlarmDescription.split('#')[1]);
  expect([...new Set(used)].sort()).toEqual([...HEADINGS].sort());
});

describe.each(STAGES)('%s', (_, stacks, stage) => {
  const all = (type: string) => {
    const found = resourcesOf(stacks, type);
    expect(found.length, type).toBeGreaterThan(0); // a rule over nothing proves nothing
    return found;
  };
  const alarms = () => all('AWS::CloudWatch::Alarm');

  it('has fewer than 500 resources in every stack', () => {
    for (const stack of stacks) expect(stack.all().length, stack.name).toBeLessThan(500);
  });

  it('has a DLQ for every queue that is not one', () => {
    const dlqs = new Set(
      all('AWS::SQS::Queue').map(
        (q) => `${q.stack.name}/${attribute(q.properties.RedrivePolicy?.deadLetterTargetArn)}`,
      ),
    );
    for (const { name, id, properties } of all('AWS::SQS::Queue')) {
      const accepted = Object.keys(TERMINAL).some((prefix) => id.startsWith(prefix));
      expect(Boolean(properties.RedrivePolicy) || dlqs.has(name) || accepted, name).toBe(true);
    }
  });

  it('keeps messages in a DLQ longer than in its source', () => {
    for (const { stack, name, properties } of all('AWS::SQS::Queue')) {
      if (!properties.RedrivePolicy) continue;
      const dlq = stack.template.Resources[attribute(properties.RedrivePolicy.deadLetterTargetArn)];
      expect(dlq?.Properties.MessageRetentionPeriod, name).toBeGreaterThan(properties.MessageRetentionPeriod);
    }
  });

  it('encrypts queues and refuses requests without TLS', () => {
    const policies = all('AWS::SQS::QueuePolicy');
    for (const { stack, id, name, properties } of all('AWS::SQS::Queue')) {
      expect(properties.SqsManagedSseEnabled, name).toBe(true);
      const statements = policies
        .filter((p) => p.stack === stack && p.properties.Queues.some((q: { Ref: string }) => q.Ref === id))
        .flatMap((p) => p.properties.PolicyDocument.Statement);
      expect(statements, name).toContainEqual(
        expect.objectContaining({
          Effect: 'Deny',
          Action: 'sqs:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  });

  it('has a DLQ and a fair-queue group for every target of a rule over events', () => {
    for (const { name, properties } of all('AWS::Events::Rule')) {
      if (properties.ScheduleExpression) continue; // nothing is lost: the next run does it
      for (const target of properties.Targets) {
        expect(target.DeadLetterConfig?.Arn, name).toBeDefined();
        expect(target.SqsParameters, name).toEqual({ MessageGroupId: '$.detail.meta.connection' });
      }
    }
  });

  it('never repeats a scheduled run that failed, and says so when none gets anywhere', () => {
    const runs = all('AWS::Events::Rule').filter(({ properties }) => properties.ScheduleExpression);
    expect(runs.length).toBeGreaterThan(0);
    for (const { stack, name, properties } of runs) {
      const [target, ...more] = properties.Targets;
      expect(more, name).toEqual([]);
      const fn = attribute(target.Arn);
      const [[, config] = []] = stack
        .all('AWS::Lambda::EventInvokeConfig')
        .filter(([, { Properties }]) => Properties.FunctionName.Ref === fn);
      expect(config?.Properties.MaximumRetryAttempts, name).toBe(0);
      const concern = stack.template.Resources[fn];
      expect(concern?.Type, name).toBe('AWS::Lambda::Function');
      const late = stack
        .all('AWS::CloudWatch::Alarm')
        .filter(([, alarm]) => alarm.Properties.AlarmName.endsWith('-late'));
      expect(late.length, name).toBe(runs.filter((run) => run.stack === stack).length);
      for (const [, alarm] of late) expect(alarm.Properties.TreatMissingData, name).toBe('breaching');
    }
  });

  it("reads queues in batches that fail record by record, within the visibility timeout and the peer's limit", () => {
    /** Calls at once of all functions that ask one ERP. */
    const callers = new Map<string, number>();
    for (const { stack, name, properties } of all('AWS::Lambda::EventSourceMapping')) {
      expect(properties.FunctionResponseTypes, name).toEqual(['ReportBatchItemFailures']);
      expect(properties.BatchSize, name).toBe(10);
      const queue = stack.template.Resources[attribute(properties.EventSourceArn)];
      const fn = stack.template.Resources[properties.FunctionName.Ref];
      expect(queue?.Properties.VisibilityTimeout, name).toBeGreaterThanOrEqual(fn?.Properties.Timeout * 6);
      const connection = fn?.Properties.Environment.Variables.WAYBILL_CONNECTION;
      if (connection === undefined) continue; // the recorder has no peer
      const manifest = connectionsOf(stage).find(({ id }) => id === connection)?.manifest;
      const cap = properties.ScalingConfig.MaximumConcurrency;
      expect(cap, name).toBeGreaterThanOrEqual(2);
      if (name.includes('/StockProject')) continue; // asks nobody outside AWS
      const limits =
        manifest?.kind !== 'storefront'
          ? manifest
          : name.includes('/StockWrite')
            ? manifest.stock
            : manifest.reads;
      callers.set(connection, (callers.get(connection) ?? 0) + (manifest?.kind === 'erp' ? cap : 0));
      expect(cap, name).toBeLessThanOrEqual(limits?.maxConcurrentCalls ?? 0);
      if (manifest?.kind === 'erp') {
        expect(callers.get(connection), name).toBeLessThanOrEqual(manifest.maxConcurrentCalls);
      } else expect(cap, name).toBe(limits?.maxConcurrentCalls);
    }
  });

  it('claims for longer than a function may run and the peer may need to settle', () => {
    const consumers = all('AWS::Lambda::Function').filter(
      (f) => f.properties.Environment.Variables.WAYBILL_LEASE_MS,
    );
    expect(consumers.length).toBeGreaterThan(0);
    for (const { name, properties } of consumers) {
      const { WAYBILL_LEASE_MS, WAYBILL_QUEUE_URL } = properties.Environment.Variables;
      // What only reads leaves nothing to settle.
      const settleMs = WAYBILL_QUEUE_URL ? 30_000 : 0;
      expect(Number(WAYBILL_LEASE_MS), name).toBeGreaterThan(properties.Timeout * 1000 + settleMs);
    }
  });

  it('keeps logs for a stated time', () => {
    for (const { name, properties } of all('AWS::Logs::LogGroup')) {
      expect(properties.RetentionInDays, name).toBe(90);
    }
    for (const { stack, name, properties } of all('AWS::Lambda::Function')) {
      expect(stack.template.Resources[properties.LoggingConfig.LogGroup.Ref]?.Type, name).toBe(
        'AWS::Logs::LogGroup',
      );
    }
  });

  it('runs every function on Node 24, arm64, as an ES module, with less than 4 KB of environment', () => {
    for (const { name, properties } of all('AWS::Lambda::Function')) {
      expect(properties, name).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
      // References count as they are written in the template, which is longer than what they become.
      expect(JSON.stringify(properties.Environment.Variables).length, name).toBeLessThan(4096);
    }
  });

  it('grants no wildcard action on a wildcard resource, and uses no managed policy', () => {
    for (const { name, properties } of all('AWS::IAM::Policy')) {
      for (const { Action, Resource } of properties.PolicyDocument.Statement) {
        expect(
          list(Action).filter((action) => action.includes('*')),
          name,
        ).toEqual([]);
        expect(JSON.stringify(list(Resource)), name).not.toContain('*');
      }
    }
    for (const { name, properties } of all('AWS::IAM::Role')) {
      expect(properties.ManagedPolicyArns, name).toBeUndefined();
      expect(properties.Policies, name).toBeUndefined();
    }
  });

  it.each(['Errors', 'Throttles'])('alarms on %s of every function', (metric) => {
    const watched = new Set(
      alarms()
        .filter(({ properties }) => properties.Namespace === 'AWS/Lambda' && properties.MetricName === metric)
        .map(({ stack, properties }) => `${stack.name}/${properties.Dimensions[0].Value.Ref}`),
    );
    expect(
      all('AWS::Lambda::Function')
        .map(({ name }) => name)
        .filter((name) => !watched.has(name)),
    ).toEqual([]);
  });

  it('alarms on what is parked and on what waits in every queue that a function reads', () => {
    const watched = new Map<string, Set<string>>();
    const note = (
      stack: string,
      m: { MetricName: string; Dimensions?: { Name: string; Value: unknown }[] },
    ) => {
      const queue = m.Dimensions?.find(({ Name }) => Name === 'QueueName')?.Value;
      const key = `${stack}/${attribute(queue as { 'Fn::GetAtt': [string, string] })}`;
      watched.set(key, (watched.get(key) ?? new Set()).add(m.MetricName));
    };
    for (const { stack, properties } of alarms()) {
      if (properties.MetricName) note(stack.name, properties);
      for (const { MetricStat } of properties.Metrics ?? [])
        if (MetricStat) note(stack.name, MetricStat.Metric);
    }
    for (const { name, stack, properties } of all('AWS::SQS::Queue')) {
      if (!properties.RedrivePolicy) {
        expect([...(watched.get(name) ?? [])], name).toEqual(
          expect.arrayContaining(['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage']),
        );
      } else {
        expect([...(watched.get(name) ?? [])].sort(), `${stack.name} ${name}`).toEqual([
          'ApproximateAgeOfOldestMessage',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesVisible',
          'NumberOfMessagesDeleted',
        ]);
      }
    }
  });

  it('points every alarm at an article of the runbook, and tells somebody', () => {
    for (const { name, properties } of alarms()) {
      const [, severity, heading] =
        /^(page|ticket): infra\/docs\/runbook\.md#(.+)$/.exec(properties.AlarmDescription) ?? [];
      expect(HEADINGS, name).toContain(heading);
      expect(properties.AlarmName.endsWith(`-${heading}`), name).toBe(true);
      expect(JSON.stringify(properties.AlarmActions), name).toContain(
        severity === 'page' ? 'AlarmsPage' : 'AlarmsTicket',
      );
      expect(properties.TreatMissingData, name).toMatch(/^(notBreaching|breaching|ignore|missing)$/);
    }
    const names = alarms().map(({ properties }) => properties.AlarmName);
    expect(new Set(names).size).toBe(names.length);
  });

  it('lets CloudWatch publish to the alarm topics, whose policy replaces the default', () => {
    for (const { name, properties } of all('AWS::SNS::TopicPolicy')) {
      expect(properties.PolicyDocument.Statement, name).toContainEqual(
        expect.objectContaining({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
        }),
      );
    }
  });

  it('keeps tables: on demand, restorable, encrypted, expiring by expiresAtS, not deletable', () => {
    for (const { name, properties, DeletionPolicy, UpdateReplacePolicy } of all('AWS::DynamoDB::Table')) {
      expect({ ...properties, DeletionPolicy, UpdateReplacePolicy }, name).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'expiresAtS', Enabled: true },
        DeletionProtectionEnabled: true,
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
      });
    }
  });

  it('makes secrets without a value, and keeps them', () => {
    for (const { name, properties, DeletionPolicy, UpdateReplacePolicy } of all(
      'AWS::SecretsManager::Secret',
    )) {
      expect(properties.SecretString, name).toBe('{}');
      expect([DeletionPolicy, UpdateReplacePolicy], name).toEqual(['RetainExceptOnCreate', 'Retain']);
    }
    for (const { template, name } of stacks) {
      expect(JSON.stringify(template), name).not.toMatch(
        /resolve:secretsmanager|apiKey|webhookSecret|ck_|cs_/,
      );
    }
  });

  it('keeps to plain resources: no custom resource, no function that CDK adds', () => {
    const types = stacks.flatMap((stack) => stack.all().map(([, { Type }]) => Type));
    expect(
      types.filter((type) => !type.startsWith('AWS::') || type.startsWith('AWS::CloudFormation::')),
    ).toEqual([]);
    for (const { name, properties } of all('AWS::Lambda::Function')) {
      expect(Object.keys(properties.Environment.Variables)[0], name).toMatch(/^WAYBILL_/);
    }
  });
});
