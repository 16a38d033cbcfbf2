import { describe, expect, it } from 'vitest';
import { settings } from '../../infra/settings.ts';
import { dailyAt } from '../../infra/stacks/stage.ts';
import { SANDBOX, type SynthesisedStack, synthesise } from './assembly.ts';

const named = (stacks: readonly SynthesisedStack[], name: string): SynthesisedStack => {
  const found = stacks.find((stack) => stack.name === name);
  if (found === undefined) throw new Error(`no stack ${name}: ${stacks.map((s) => s.name).join(', ')}`);
  return found;
};

const environment = (stack: SynthesisedStack, prefix?: string) =>
  stack.one('AWS::Lambda::Function', prefix).Properties.Environment.Variables;

const ROUTE = { startAt: '2026-12-01T00:00:00Z' };
const TWO_SHOPS = settings({
  name: 'acme',
  region: 'eu-central-1',
  timeZone: 'Europe/Berlin',
  connections: {
    'shop-a': { connector: 'woocommerce', url: 'https://a.example/', statuses: { ready: 'open' } },
    'shop-b': { connector: 'woocommerce', url: 'https://b.example' },
    'shop-c': { connector: 'shopify', shop: 'c.myshopify.com' },
    'erp-1': {
      connector: 'odoo',
      url: 'https://erp.example',
      database: 'one',
      products: { shipping: 'FREIGHT' },
    },
    'erp-2': { connector: 'odoo', url: 'https://erp.example', database: 'two' },
    'erp-3': { connector: 'odoo', url: 'https://erp.example', database: 'three' },
  },
  orders: [
    { from: 'shop-a', to: 'erp-1', ...ROUTE },
    { from: 'shop-b', to: 'erp-1', ...ROUTE, mode: 'shadow', company: 2 },
    { from: 'shop-c', to: 'erp-1', ...ROUTE, mode: 'off' },
    { from: 'shop-a', to: 'erp-2', ...ROUTE, roundingTolerance: 1, accept: { paid: 'draft' } },
    { from: 'shop-a', to: 'erp-3', ...ROUTE, mode: 'off' },
  ],
  alarms: { email: 'oncall@acme.example' },
  limits: { archiveDays: 7, maxBodyBytes: 100_000 },
});

const stacks = synthesise(TWO_SHOPS);
const core = named(stacks, 'waybill-acme-core');

describe('stacks', () => {
  it('has a core and one per connection', () => {
    expect(stacks.map(({ name }) => name).sort()).toEqual([
      'waybill-acme-core',
      'waybill-acme-erp-1',
      'waybill-acme-erp-2',
      'waybill-acme-erp-3',
      'waybill-acme-shop-a',
      'waybill-acme-shop-b',
      'waybill-acme-shop-c',
    ]);
  });

  it('says where things are, under fixed names', () => {
    const outputs = (name: string) => Object.keys(named(stacks, name).template.Outputs ?? {});
    expect(outputs('waybill-acme-core')).toEqual(
      expect.arrayContaining([
        'ApiUrl',
        'EventBusName',
        'QuarantineQueueUrl',
        'QueueUrl',
        'ParkedQueueUrl',
        'FunctionName',
        'SweepFunctionName',
        'LedgerTable',
        'BindingsTable',
        'JournalTable',
        'MappingsTable',
        'ParkedTable',
        'ConnectionsTable',
        'StockTable',
        'CursorsTable',
        'ReportsTable',
        'PageTopicArn',
        'TicketTopicArn',
      ]),
    );
    expect(outputs('waybill-acme-shop-a')).toEqual([
      'WebhookUrl',
      'SecretName',
      'FunctionName',
      'QueueUrl',
      'ParkedQueueUrl',
      'FetchFunctionName',
      'ReconcileFunctionName',
    ]);
    expect(outputs('waybill-acme-erp-1')).toEqual([
      'QueueUrl',
      'ParkedQueueUrl',
      'SecretName',
      'FunctionName',
      'ControlFunctionName',
      'CheckFunctionName',
      'ShadowFunctionName',
    ]);
  });
});

describe('a storefront', () => {
  const shop = named(stacks, 'waybill-acme-shop-a');

  it('takes POST /webhooks/<connection> and hands it to its function', () => {
    expect(shop.one('AWS::ApiGatewayV2::Route').Properties.RouteKey).toBe('POST /webhooks/shop-a');
    expect(JSON.stringify(shop.template.Outputs?.['WebhookUrl'])).toContain('/webhooks/shop-a');
    expect(shop.one('AWS::ApiGatewayV2::Integration').Properties).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
    });
  });

  it('tells the function what it needs and nothing else', () => {
    const { WAYBILL_SETTINGS, WAYBILL_EVENT_BUS, WAYBILL_QUARANTINE_QUEUE_URL, ...rest } = environment(
      shop,
      'Webhook',
    );
    expect(JSON.parse(WAYBILL_SETTINGS)).toEqual({
      url: 'https://a.example',
      statuses: { ready: 'open' },
      maxBodyBytes: 100_000,
    });
    expect(WAYBILL_EVENT_BUS['Fn::ImportValue']).toMatch(/^waybill-acme-core:ExportsOutputRefEventsBus/);
    expect(WAYBILL_QUARANTINE_QUEUE_URL['Fn::ImportValue']).toMatch(
      /^waybill-acme-core:ExportsOutputRefQuarantine/,
    );
    expect(rest).toEqual({
      WAYBILL_CONNECTION: 'shop-a',
      WAYBILL_SECRET_ID: 'waybill/acme/shop-a',
      WAYBILL_TIME_SCALE: '1',
    });
    expect(shop.one('AWS::Lambda::Function', 'Webhook').Properties.Timeout).toBe(15);
  });

  it('may read its own secret, publish, and quarantine: no table, no other queue', () => {
    const actions = shop
      .one('AWS::IAM::Policy', 'Webhook')
      .Properties.PolicyDocument.Statement.flatMap((s: { Action: string | string[] }) => s.Action);
    expect([...actions].sort()).toEqual([
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
  });
});

it.each([
  ['shop-a', 'as long as its function may run', 9_000],
  ['shop-c', 'as long as Shopify waits', 3_000],
])('%s: slow webhooks alarm at 60 %% of the patience: %s', (connection, _patience, thresholdMs) => {
  const shop = named(stacks, `waybill-acme-${connection}`);
  expect(shop.one('AWS::CloudWatch::Alarm', 'WebhookAlarmwebhookslow').Properties).toMatchObject({
    MetricName: 'Duration',
    ExtendedStatistic: 'p90',
    Period: 900,
    Threshold: thresholdMs,
  });
});

describe('a storefront that can be asked for orders', () => {
  const shop = named(stacks, 'waybill-acme-shop-a');

  it('has a queue of the ids that were pushed, and a function for it that keeps to what the shop takes', () => {
    expect(shop.one('AWS::Events::Rule', 'Fetch').Properties.EventPattern).toEqual({
      source: ['waybill.storefront'],
      'detail-type': ['order.notified.v1'],
      detail: { meta: { connection: ['shop-a'] } },
    });
    expect(shop.one('AWS::Lambda::EventSourceMapping').Properties.ScalingConfig.MaximumConcurrency).toBe(2);
    expect(shop.one('AWS::Lambda::Function', 'Fetch').Properties.Timeout).toBe(60);
    expect(shop.one('AWS::SQS::Queue', 'FetchParked').Properties.MessageRetentionPeriod).toBe(1_209_600);
    const { WAYBILL_SETTINGS, ...rest } = environment(shop, 'Fetch');
    expect(JSON.parse(WAYBILL_SETTINGS)).toEqual({
      url: 'https://a.example',
      statuses: { ready: 'open' },
    });
    expect(rest).toMatchObject({
      WAYBILL_CONNECTION: 'shop-a',
      WAYBILL_SECRET_ID: 'waybill/acme/shop-a',
      WAYBILL_TIME_SCALE: '1',
    });
  });

  it('may read its own secret, publish, take its messages and park them', () => {
    const actions = shop
      .one('AWS::IAM::Policy', 'Fetch')
      .Properties.PolicyDocument.Statement.flatMap((s: { Action: string | string[] }) => s.Action);
    expect([...new Set(actions)].sort()).toEqual([
      'dynamodb:UpdateItem',
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
  });

  it('alarms at once when its credentials are refused', () => {
    expect(shop.one('AWS::CloudWatch::Alarm', 'Alarmcredentialsrefused').Properties).toMatchObject({
      AlarmName: 'waybill-acme-shop-a-credentials-refused',
      MetricName: 'CredentialsRefused',
      Dimensions: [{ Name: 'connection', Value: 'shop-a' }],
    });
  });
});

describe('what no webhook brings', () => {
  const shop = named(stacks, 'waybill-acme-shop-a');

  it('is looked for every quarter of an hour, for the ERPs whose route is on, from the first cut-over', () => {
    expect(shop.one('AWS::Events::Rule', 'Reconcile').Properties).toMatchObject({
      ScheduleExpression: 'rate(15 minutes)',
      State: 'ENABLED',
    });
    const { WAYBILL_SETTINGS, WAYBILL_LEASE_MS, ...rest } = environment(shop, 'Reconcile');
    expect(JSON.parse(WAYBILL_SETTINGS)).toEqual({
      connection: { url: 'https://a.example', statuses: { ready: 'open' } },
      destinations: ['erp-1', 'erp-2'],
      startAt: '2026-12-01T00:00:00Z',
    });
    // 300 s function + 5 s between clocks.
    expect(WAYBILL_LEASE_MS).toBe('305000');
    expect(Object.keys(rest).sort()).toEqual([
      'WAYBILL_CONNECTION',
      'WAYBILL_CURSORS_TABLE',
      'WAYBILL_EVENT_BUS',
      'WAYBILL_JOURNAL_TABLE',
      'WAYBILL_SECRET_ID',
      'WAYBILL_TIME_SCALE',
    ]);
  });

  it('may read its secret, the journal and its cursor, move that, and publish', () => {
    const statements: { Action: string | string[]; Resource: unknown }[] = shop.one(
      'AWS::IAM::Policy',
      'Reconcile',
    ).Properties.PolicyDocument.Statement;
    const tables = statements
      .filter(({ Action }) => JSON.stringify(Action).includes('dynamodb'))
      .map(({ Action, Resource }) => [/Tables[A-Z][a-z]+/.exec(JSON.stringify(Resource))?.[0], Action]);
    expect(tables).toEqual([
      ['TablesJournal', 'dynamodb:GetItem'],
      ['TablesCursors', ['dynamodb:GetItem', 'dynamodb:UpdateItem']],
    ]);
    const others = statements.flatMap(({ Action }) => Action).filter((a) => !a.startsWith('dynamodb:'));
    expect(others.sort()).toEqual([
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
  });

  it('pages when three intervals pass without a run, and leaves a ticket when something was found', () => {
    expect(shop.one('AWS::CloudWatch::Alarm', 'ReconcileAlarmreconcilelate').Properties).toMatchObject({
      AlarmName: 'waybill-acme-shop-a-reconcile-late',
      EvaluationPeriods: 3,
      TreatMissingData: 'breaching',
      Metrics: [
        { Expression: 'IF(runs > 0, 0, 1)' },
        { MetricStat: { Metric: { MetricName: 'ReconciliationRuns' }, Period: 900 } },
      ],
    });
    expect(shop.one('AWS::CloudWatch::Alarm', 'Alarmreconcilefound').Properties).toMatchObject({
      MetricName: 'OrdersFoundByReconciliation',
      Dimensions: [{ Name: 'connection', Value: 'shop-a' }],
      Threshold: 1,
      Period: 900,
      TreatMissingData: 'notBreaching',
    });
  });

  it('of several routes the shortest interval counts; without a route, or switched off, nobody looks', () => {
    const rateOf = (reconcile: readonly ('5 minutes' | '60 minutes' | 'off')[]) => {
      const stage = settings({
        name: 'acme',
        region: 'eu-central-1',
        timeZone: 'Europe/Berlin',
        connections: {
          shop: { connector: 'woocommerce', url: 'https://a.example' },
          'erp-0': { connector: 'odoo', url: 'https://erp.example', database: 'one' },
          'erp-1': { connector: 'odoo', url: 'https://erp.example', database: 'two' },
        },
        orders: reconcile.map((every, n) => ({ from: 'shop', to: `erp-${n}`, ...ROUTE, reconcile: every })),
      });
      return named(synthesise(stage), 'waybill-acme-shop')
        .all('AWS::Events::Rule')
        .flatMap(([, { Properties }]) => Properties.ScheduleExpression ?? []);
    };
    expect(rateOf(['60 minutes', '5 minutes'])).toEqual(['rate(5 minutes)']);
    expect(rateOf(['off', '60 minutes'])).toEqual(['rate(1 hour)']);
    expect(rateOf(['off'])).toEqual([]);
    expect(rateOf([])).toEqual([]);
  });
});

describe('an ERP', () => {
  const erp = named(stacks, 'waybill-acme-erp-1');

  it('listens to the storefronts routed to it, but not where the route is off', () => {
    expect(erp.one('AWS::Events::Rule', 'Orders').Properties.EventPattern).toEqual({
      source: ['waybill.storefront'],
      'detail-type': ['order.changed.v1'],
      detail: { meta: { connection: ['shop-a', 'shop-b'] } },
    });
  });

  it('keeps queue and function, but listens to nobody, while all its routes are off', () => {
    const off = named(stacks, 'waybill-acme-erp-3');
    expect(off.all('AWS::Events::Rule').filter(([id]) => id.startsWith('Orders'))).toEqual([]);
    expect(off.all('AWS::Lambda::EventSourceMapping')).toHaveLength(1);
  });

  it('tells the function its routes, without what equals a default', () => {
    const { WAYBILL_SETTINGS, WAYBILL_LEASE_MS, WAYBILL_TIME_SCALE, ...rest } = environment(erp, 'Orders');
    expect(JSON.parse(WAYBILL_SETTINGS)).toEqual({
      connection: { url: 'https://erp.example', database: 'one', products: { shipping: 'FREIGHT' } },
      routes: [
        { from: 'shop-a', to: 'erp-1', startAt: '2026-12-01T00:00:00Z' },
        { from: 'shop-b', to: 'erp-1', startAt: '2026-12-01T00:00:00Z', mode: 'shadow', company: 2 },
        { from: 'shop-c', to: 'erp-1', startAt: '2026-12-01T00:00:00Z', mode: 'off' },
      ],
      fetchable: ['shop-a', 'shop-b', 'shop-c'],
    });
    // 60 s function + 30 s until Odoo has settled + 5 s between clocks.
    expect(WAYBILL_LEASE_MS).toBe('95000');
    expect(WAYBILL_TIME_SCALE).toBe('1');
    expect(Object.keys(rest).sort()).toEqual([
      'WAYBILL_BINDINGS_TABLE',
      'WAYBILL_CONNECTION',
      'WAYBILL_CONNECTIONS_TABLE',
      'WAYBILL_EVENT_BUS',
      'WAYBILL_JOURNAL_TABLE',
      'WAYBILL_LEDGER_TABLE',
      'WAYBILL_MAPPINGS_TABLE',
      'WAYBILL_PARKED_QUEUE_URL',
      'WAYBILL_PARKED_TABLE',
      'WAYBILL_QUEUE_URL',
      'WAYBILL_SECRET_ID',
    ]);
    expect(
      JSON.parse(environment(named(stacks, 'waybill-acme-erp-2'), 'Orders').WAYBILL_SETTINGS).routes,
    ).toEqual([{ from: 'shop-a', to: 'erp-2', startAt: '2026-12-01T00:00:00Z', accept: { paid: 'draft' } }]);
  });

  it('has a queue of ten days, a parked queue of fourteen, and leaves parking to the handler', () => {
    expect(erp.one('AWS::SQS::Queue', 'OrdersQueue').Properties).toMatchObject({
      MessageRetentionPeriod: 864_000,
      VisibilityTimeout: 360,
      RedrivePolicy: { maxReceiveCount: 100 },
    });
    expect(erp.one('AWS::SQS::Queue', 'OrdersParked').Properties.MessageRetentionPeriod).toBe(1_209_600);
    expect(erp.one('AWS::Lambda::EventSourceMapping').Properties.ScalingConfig.MaximumConcurrency).toBe(4);
    expect(erp.one('AWS::Lambda::Function', 'Orders').Properties.Timeout).toBe(60);
  });

  it('alarms at once when its credentials are refused', () => {
    expect(erp.one('AWS::CloudWatch::Alarm', 'Alarmcredentialsrefused').Properties).toMatchObject({
      AlarmName: 'waybill-acme-erp-1-credentials-refused',
      Namespace: 'Waybill',
      MetricName: 'CredentialsRefused',
      Dimensions: [{ Name: 'connection', Value: 'erp-1' }],
      Threshold: 1,
      EvaluationPeriods: 1,
    });
  });
});

describe('the controller of an ERP', () => {
  const erp = named(stacks, 'waybill-acme-erp-1');
  const [[sourceId = ''] = []] = erp.all('AWS::Lambda::EventSourceMapping');

  it('runs every minute, is not repeated, and knows what it switches', () => {
    expect(erp.one('AWS::Events::Rule', 'Control').Properties.ScheduleExpression).toBe('rate(1 minute)');
    expect(erp.one('AWS::Lambda::EventInvokeConfig', 'Control').Properties.MaximumRetryAttempts).toBe(0);
    // It must be over before the next one begins.
    expect(erp.one('AWS::Lambda::Function', 'Control').Properties.Timeout).toBe(50);
    const { WAYBILL_SETTINGS, WAYBILL_CONNECTIONS_TABLE, ...rest } = environment(erp, 'Control');
    expect(JSON.parse(WAYBILL_SETTINGS)).toEqual({
      url: 'https://erp.example',
      database: 'one',
      products: { shipping: 'FREIGHT' },
    });
    expect(rest).toEqual({
      WAYBILL_CONNECTION: 'erp-1',
      WAYBILL_SECRET_ID: 'waybill/acme/erp-1',
      WAYBILL_EVENT_SOURCE: { Ref: sourceId },
      WAYBILL_TIME_SCALE: '1',
    });
  });

  it('may switch the event source of its own consumer, and no other', () => {
    const statements = erp.one('AWS::IAM::Policy', 'Control').Properties.PolicyDocument.Statement;
    const switching = statements.filter((s: { Action: string | string[] }) =>
      [s.Action].flat().some((action) => action.startsWith('lambda:')),
    );
    expect(switching).toEqual([
      {
        Effect: 'Allow',
        Action: ['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'],
        Resource: {
          'Fn::Join': [
            '',
            [
              'arn:aws:lambda:eu-central-1:',
              { Ref: 'AWS::AccountId' },
              ':event-source-mapping:',
              { Ref: sourceId },
            ],
          ],
        },
      },
    ]);
    const actions = statements.flatMap((s: { Action: string | string[] }) => s.Action);
    expect([...actions].sort()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:UpdateItem',
      'lambda:GetEventSourceMapping',
      'lambda:UpdateEventSourceMapping',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
  });

  it('pages when the connection was paused for five minutes, and when it says nothing for five', () => {
    expect(erp.one('AWS::CloudWatch::Alarm', 'Alarmconnectionpaused').Properties).toMatchObject({
      MetricName: 'ConnectionPaused',
      Dimensions: [{ Name: 'connection', Value: 'erp-1' }],
      Statistic: 'Minimum',
      Period: 60,
      EvaluationPeriods: 5,
      TreatMissingData: 'ignore',
      AlarmDescription: 'page: infra/docs/runbook.md#connection-paused',
    });
    expect(erp.one('AWS::CloudWatch::Alarm', 'ControlAlarmcontrollate').Properties).toMatchObject({
      EvaluationPeriods: 5,
      TreatMissingData: 'breaching',
      AlarmDescription: 'page: infra/docs/runbook.md#control-late',
    });
  });
});

describe('the daily check of an ERP', () => {
  const erp = named(stacks, 'waybill-acme-erp-1');

  it("runs at five in the morning of the company's winter, knows the routes, and has a quarter of an hour", () => {
    expect(erp.one('AWS::Events::Rule', 'Check').Properties.ScheduleExpression).toBe('cron(0 4 * * ? *)');
    expect(erp.one('AWS::Lambda::Function', 'Check').Properties.Timeout).toBe(900);
    const { WAYBILL_SETTINGS, WAYBILL_LEASE_MS } = environment(erp, 'Check');
    expect(WAYBILL_SETTINGS).toBe(environment(erp, 'Orders').WAYBILL_SETTINGS);
    expect(WAYBILL_LEASE_MS).toBe('960000');
  });

  it.each([
    ['Asia/Taipei', 'cron(0 21 * * ? *)'],
    ['Asia/Kolkata', 'cron(30 23 * * ? *)'],
    ['America/New_York', 'cron(0 10 * * ? *)'],
  ])('in %s: %s', (timeZone, expected) => {
    expect(dailyAt(5, timeZone).expressionString).toBe(expected);
  });

  it('pages when an order is missing, and leaves a ticket when it has not looked for two days', () => {
    expect(erp.one('AWS::CloudWatch::Alarm', 'Alarmordersmissing').Properties).toMatchObject({
      MetricName: 'OrdersMissingInErp',
      Dimensions: [{ Name: 'connection', Value: 'erp-1' }],
      AlarmDescription: 'page: infra/docs/runbook.md#orders-missing',
    });
    expect(erp.one('AWS::CloudWatch::Alarm', 'CheckAlarmchecklate').Properties).toMatchObject({
      EvaluationPeriods: 2,
      TreatMissingData: 'breaching',
      AlarmDescription: 'ticket: infra/docs/runbook.md#check-late',
    });
  });
});

describe('the shadow report of an ERP', () => {
  const erp = named(stacks, 'waybill-acme-erp-1');

  it('is made every morning of the company, of routes in shadow mode only', () => {
    expect(erp.one('AWS::Events::Rule', 'Shadow').Properties.ScheduleExpression).toBe('cron(0 5 * * ? *)');
    expect(JSON.parse(environment(erp, 'Shadow').WAYBILL_SETTINGS).routes).toEqual([
      { from: 'shop-b', to: 'erp-1', ...ROUTE, mode: 'shadow', company: 2 },
    ]);
    expect(erp.one('AWS::CloudWatch::Alarm', 'ShadowReportAlarmshadowlate').Properties).toMatchObject({
      EvaluationPeriods: 2,
      TreatMissingData: 'breaching',
      AlarmDescription: 'ticket: infra/docs/runbook.md#shadow-late',
    });
  });

  it('may read the journal and its own secret, keep reports, and nothing else', () => {
    const statements = erp
      .one('AWS::IAM::Policy', 'Shadow')
      .Properties.PolicyDocument.Statement.map(({ Action }: { Action: string | string[] }) => Action);
    expect(statements).toEqual([
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      'dynamodb:Scan',
      ['dynamodb:PutItem', 'dynamodb:Query'],
    ]);
  });

  it('is nowhere where no route is in shadow mode', () => {
    for (const name of ['waybill-acme-erp-2', 'waybill-acme-erp-3', 'waybill-acme-core']) {
      expect(
        named(stacks, name)
          .all()
          .filter(([id]) => id.startsWith('Shadow')),
      ).toEqual([]);
    }
    expect(erp.template.Outputs).toHaveProperty('ShadowFunctionName');
    expect(named(stacks, 'waybill-acme-erp-2').template.Outputs).not.toHaveProperty('ShadowFunctionName');
  });
});

describe('the sweep', () => {
  it('runs twice a day over the ERPs whose route is on, and publishes before the queues forget', () => {
    expect(core.one('AWS::Events::Rule', 'Sweep').Properties.ScheduleExpression).toBe('rate(12 hours)');
    expect(JSON.parse(environment(core, 'Sweep').WAYBILL_SETTINGS)).toEqual({
      destinations: ['erp-1', 'erp-2'],
      keptMs: 8 * 86_400_000,
    });
  });

  it('may query the index of unfinished orders, and nothing else of the kind', () => {
    const statements: { Action: string | string[]; Resource: unknown }[] = core.one(
      'AWS::IAM::Policy',
      'Sweep',
    ).Properties.PolicyDocument.Statement;
    const query = statements.filter(({ Action }) => [Action].flat().includes('dynamodb:Query'));
    expect(query.map(({ Action }) => Action)).toEqual(['dynamodb:Query']);
    expect(JSON.stringify(query[0]?.Resource)).toMatch(/TablesJournal\w+.*\/index\/open"/);
  });
});

describe('the core', () => {
  it('records every order, and opens it for destinations whose route is on', () => {
    expect(core.one('AWS::Events::Rule', 'Recorder').Properties.EventPattern).toEqual({
      source: ['waybill.storefront'],
      'detail-type': ['order.changed.v1'],
    });
    expect(JSON.parse(environment(core, 'Recorder').WAYBILL_SETTINGS)).toEqual({
      routes: { 'shop-a': ['erp-1', 'erp-2'], 'shop-b': ['erp-1'] },
    });
    expect(core.one('AWS::Lambda::Function', 'Recorder').Properties.Timeout).toBe(30);
    expect(core.one('AWS::SQS::Queue', 'RecorderQueue').Properties.VisibilityTimeout).toBe(180);
  });

  it('keeps a replayable archive as long as the settings say', () => {
    expect(core.one('AWS::Events::Archive').Properties).toMatchObject({
      RetentionDays: 7,
      EventPattern: {
        source: ['waybill.storefront', 'waybill.payments', 'waybill.erp', 'waybill.stock'],
      },
    });
  });

  it('has the seven tables with their keys, and the index of unfinished orders', () => {
    const keys = (prefix: string) => core.one('AWS::DynamoDB::Table', prefix).Properties.KeySchema;
    for (const prefix of [
      'TablesLedger',
      'TablesBindings',
      'TablesJournal',
      'TablesCursors',
      'TablesConnections',
    ]) {
      expect(keys(prefix), prefix).toEqual([{ AttributeName: 'pk', KeyType: 'HASH' }]);
    }
    for (const prefix of ['TablesMappings', 'TablesParked']) {
      expect(keys(prefix), prefix).toEqual([
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ]);
    }
    const { GlobalSecondaryIndexes, AttributeDefinitions } = core.one(
      'AWS::DynamoDB::Table',
      'TablesJournal',
    ).Properties;
    expect(GlobalSecondaryIndexes).toEqual([
      {
        IndexName: 'open',
        KeySchema: [
          { AttributeName: 'openFor', KeyType: 'HASH' },
          { AttributeName: 'openSinceMs', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ]);
    expect(AttributeDefinitions).toContainEqual({ AttributeName: 'openSinceMs', AttributeType: 'N' });
  });

  it('limits what can come in, and logs it', () => {
    expect(core.one('AWS::ApiGatewayV2::Stage').Properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
    });
    expect(core.one('AWS::ApiGatewayV2::Stage').Properties.AccessLogSettings.Format).toContain(
      '$context.status',
    );
  });

  it('mails both kinds of alarm when there is an address, and nobody when there is none', () => {
    expect(core.all('AWS::SNS::Subscription').map(([, r]) => r.Properties.Endpoint)).toEqual([
      'oncall@acme.example',
      'oncall@acme.example',
    ]);
    expect(named(synthesise(SANDBOX), 'waybill-sandbox-core').all('AWS::SNS::Subscription')).toEqual([]);
  });
});
