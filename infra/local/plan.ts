import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import type { Assembly, AssemblyStack } from './assembly.ts';
import { checkEventPattern } from './event-pattern.ts';
import { type IntrinsicScope, NO_VALUE, resolveCondition, resolveIntrinsics } from './intrinsics.ts';
import { LocalStackError } from './local-stack-error.ts';
import {
  EventBus,
  EventInvokeConfig,
  EventSourceMapping,
  HttpApi,
  HttpIntegration,
  HttpRoute,
  LambdaFunction,
  Queue,
  RESOURCE_TYPES,
  type ResourceNames,
  Rule,
  Schedule,
  Secret,
  Table,
} from './resource-types.ts';
import { checkScheduleExpression } from './schedule.ts';

/** The account that dynalite and fauxqs put into their ARNs. */
export const ACCOUNT_ID = '000000000000';
/** Processes of a function whose template states no concurrency. */
export const DEFAULT_CONCURRENCY = 5;

export interface TablePlan {
  readonly name: string;
  readonly properties: z.infer<typeof Table>;
}
export interface QueuePlan {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** As the SQS API takes them. */
  readonly attributes: Readonly<Record<string, string>>;
}
export interface TargetPlan {
  readonly kind: 'queue' | 'function';
  readonly arn: string;
  /** Constant JSON that replaces the event. */
  readonly input?: string;
  /** A constant, or a path into the event such as `$.detail.connection`. */
  readonly messageGroupId?: string;
  readonly deadLetterArn?: string;
}
export interface RulePlan {
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  readonly pattern: Readonly<Record<string, unknown>>;
  readonly targets: readonly TargetPlan[];
}
export interface SchedulePlan {
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  readonly timeZone?: string;
  readonly targets: readonly TargetPlan[];
}
export interface FunctionPlan {
  readonly name: string;
  readonly arn: string;
  readonly codePath: string;
  readonly handler: string;
  readonly timeoutS: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Most processes at a time. */
  readonly concurrency: number;
  /** Repetitions of a failed asynchronous invocation, 0 to 2. */
  readonly asyncRetries: number;
  readonly asyncMaxAgeS: number;
  /** Queue for asynchronous invocations that failed for good. */
  readonly onFailureArn?: string;
  readonly deadLetterArn?: string;
}
export interface MappingPlan {
  readonly id: string;
  readonly arn: string;
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowS: number;
  readonly reportsItemFailures: boolean;
  /** Most invocations at a time. */
  readonly concurrency: number;
  readonly enabled: boolean;
}
export interface RoutePlan {
  /** `POST /webhooks/{connection}`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly functionName: string;
  readonly timeoutMs: number;
}
export interface ApiPlan {
  readonly id: string;
  readonly name: string;
  readonly routes: readonly RoutePlan[];
}
export interface SecretPlan {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  /** Stated in the template, or made up for GenerateSecretString. */
  readonly value?: string;
  readonly generate?: {
    readonly template?: string | undefined;
    readonly key?: string | undefined;
    readonly length: number;
  };
}
export interface ResourcePlan {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  /** What `Ref` gives. */
  readonly ref: string;
  readonly name: string;
}
/** Something in a template that does nothing here, and why. `property` absent: the whole resource. */
export interface WithoutEffect {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly property?: string;
  readonly reason: string;
}
/** Everything that the templates ask for, worked out. */
export interface Plan {
  readonly region: string;
  readonly tables: readonly TablePlan[];
  readonly queues: readonly QueuePlan[];
  readonly buses: readonly string[];
  readonly rules: readonly RulePlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly functions: readonly FunctionPlan[];
  readonly mappings: readonly MappingPlan[];
  readonly api?: ApiPlan;
  readonly secrets: readonly SecretPlan[];
  /** `<stack>.<output>` -> value. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly ResourcePlan[];
  readonly withoutEffect: readonly WithoutEffect[];
}
export interface PlanOptions {
  readonly region?: string;
  /** Where SQS and the HTTP API answer; placeholders will do to check an assembly. */
  readonly urls: { readonly sqs: string; readonly api: string };
  /** Most processes of a function. */
  readonly poolSize?: (functionName: string) => number;
}

interface Resolved {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly names: ResourceNames;
  readonly properties: Record<string, unknown>;
}

/** Shaped like a UUID, the same at every start. */
const stableId = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
};
const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

const describeIssue = (issue: z.core.$ZodIssue): string => {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .map((key) => `property ${path ? `${path}.` : ''}${key} is not known to the local stack`)
      .join('; ');
  return `property ${path}: ${issue.message}`;
};

/** Resolves one stack after the other; exports of earlier stacks can be imported by later ones. */
const resolveStacks = (assembly: Assembly, region: string, urls: PlanOptions['urls'], problems: string[]) => {
  const exports = new Map<string, unknown>();
  const resolved: Resolved[] = [];
  const outputs: Record<string, string> = {};
  const rewrites: [string, string][] = [];
  /** CDK builds the URL of an API from its id: here it is the URL of the local front. */
  const rewrite = (value: unknown): unknown => {
    if (typeof value === 'string')
      return rewrites.reduce((text, [from, to]) => text.replaceAll(from, to), value);
    if (Array.isArray(value)) return value.map(rewrite);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rewrite(item)]));
    return value;
  };

  const resolveStack = ({ name: stack, template }: AssemblyStack) => {
    const names = new Map<string, ResourceNames>();
    const conditions = new Map<string, boolean>();
    const pseudo: Readonly<Record<string, unknown>> = {
      'AWS::AccountId': ACCOUNT_ID,
      'AWS::NoValue': NO_VALUE,
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${ACCOUNT_ID}:stack/${stack}/${stableId(stack)}`,
      'AWS::StackName': stack,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    const namesOf = (logicalId: string): ResourceNames => {
      const seen = names.get(logicalId);
      if (seen) return seen;
      const resource = template.Resources[logicalId];
      if (!resource) throw new Error(`there is no resource, parameter or pseudo parameter ${logicalId}`);
      const type = RESOURCE_TYPES[resource.Type];
      if (!type) throw new Error(`it refers to ${logicalId}, whose type ${resource.Type} is not known`);
      const id = stableId(`${stack}/${logicalId}`);
      const given =
        type.nameProperty && resolveIntrinsics(resource.Properties?.[type.nameProperty] ?? null, scope);
      const made = `${stack}-${logicalId}`;
      const limit = type.nameLength ?? 255;
      const name = given
        ? String(given)
        : made.length > limit
          ? `${made.slice(0, limit - 9)}-${id.slice(0, 8)}`
          : made;
      const found: ResourceNames = {
        ...{ name, id, region, accountId: ACCOUNT_ID, urls },
        get properties() {
          return resolveIntrinsics(resource.Properties ?? {}, scope) as Record<string, unknown>;
        },
      };
      names.set(logicalId, found);
      return found;
    };
    const typeOf = (logicalId: string) => RESOURCE_TYPES[template.Resources[logicalId]?.Type ?? ''];
    const scope: IntrinsicScope = {
      ref: (name) => {
        if (name in pseudo) return pseudo[name];
        const parameter = template.Parameters?.[name];
        if (parameter) {
          if (parameter.Default === undefined) throw new Error(`parameter ${name} has no default`);
          return parameter.Default;
        }
        const found = namesOf(name);
        return typeOf(name)?.ref(found);
      },
      getAtt: (logicalId, attribute) => {
        const found = namesOf(logicalId);
        const work = typeOf(logicalId)?.attributes[attribute];
        if (!work) throw new Error(`attribute ${logicalId}.${attribute} is not known to the local stack`);
        return work(found);
      },
      importValue: (name) => {
        if (!exports.has(name)) throw new Error(`no stack before it exports ${name}`);
        return exports.get(name);
      },
      condition: (name) => {
        const seen = conditions.get(name);
        if (seen !== undefined) return seen;
        const value = resolveCondition(template.Conditions?.[name], scope);
        conditions.set(name, value);
        return value;
      },
      findInMap: (map, top, second) => {
        const value = template.Mappings?.[map]?.[top]?.[second];
        if (value === undefined) throw new Error(`mapping ${map}.${top}.${second} is missing`);
        return value;
      },
    };

    for (const [logicalId, resource] of Object.entries(template.Resources)) {
      const where = `${stack}/${logicalId} (${resource.Type})`;
      try {
        if (resource.Condition && !scope.condition(resource.Condition)) continue;
        const type = RESOURCE_TYPES[resource.Type];
        if (!type) {
          problems.push(`${where}: resource type ${resource.Type} is not known to the local stack`);
          continue;
        }
        const found = namesOf(logicalId);
        if (resource.Type === 'AWS::ApiGatewayV2::Api')
          rewrites.push([`https://${type.ref(found)}.execute-api.${region}.amazonaws.com`, urls.api]);
        const raw = resolveIntrinsics(resource.Properties ?? {}, scope);
        const parsed = type.schema.safeParse(raw);
        if (!parsed.success) {
          problems.push(...parsed.error.issues.map((issue) => `${where}: ${describeIssue(issue)}`));
          continue;
        }
        resolved.push({ stack, logicalId, type: resource.Type, names: found, properties: parsed.data });
      } catch (error) {
        problems.push(`${where}: ${message(error)}`);
      }
    }
    for (const [output, { Value, Export, Condition }] of Object.entries(template.Outputs ?? {})) {
      try {
        if (Condition && !scope.condition(Condition)) continue;
        const value = resolveIntrinsics(Value, scope);
        outputs[`${stack}.${output}`] = String(rewrite(value));
        if (Export) exports.set(String(resolveIntrinsics(Export.Name, scope)), value);
      } catch (error) {
        problems.push(`${stack} output ${output}: ${message(error)}`);
      }
    }
  };
  for (const stack of assembly.stacks) resolveStack(stack);
  return { resolved: resolved.map((one) => ({ ...one, properties: rewrite(one.properties) })), outputs };
};

const QUEUE_ATTRIBUTES = [
  'VisibilityTimeout',
  'DelaySeconds',
  'MessageRetentionPeriod',
  'MaximumMessageSize',
  'ReceiveMessageWaitTimeSeconds',
] as const;

/**
 * What an assembly asks for, checked to the last property.
 * @throws LocalStackError every resource type, property, reference, event pattern and schedule that the
 *   local stack does not know, by stack and logical id
 */
export const makePlan = (assembly: Assembly, options: PlanOptions): Plan => {
  const problems: string[] = [];
  const poolSize = options.poolSize ?? (() => Number.POSITIVE_INFINITY);
  const region =
    options.region ?? assembly.stacks.find((stack) => stack.region !== undefined)?.region ?? 'us-east-1';
  const { resolved, outputs } = resolveStacks(assembly, region, options.urls, problems);

  /** Visits the resources of one type; what goes wrong inside becomes a problem of that resource. */
  const each = <S extends z.ZodObject, T>(
    type: string,
    schema: S,
    work: (properties: z.infer<S>, names: ResourceNames, attribute: (name: string) => string) => T,
  ): T[] =>
    resolved
      .filter((one) => one.type === type)
      .flatMap((one) => {
        try {
          const attribute = (name: string) => RESOURCE_TYPES[type]?.attributes[name]?.(one.names) ?? '';
          return [work(schema.parse(one.properties) as z.infer<S>, one.names, attribute)];
        } catch (error) {
          problems.push(`${one.stack}/${one.logicalId} (${one.type}): ${message(error)}`);
          return [];
        }
      });

  const tables = each('AWS::DynamoDB::Table', Table, (properties, { name }) => ({ name, properties }));

  const queues = each('AWS::SQS::Queue', Queue, (properties, { name }, attribute): QueuePlan => {
    const attributes: Record<string, string> = {};
    for (const key of QUEUE_ATTRIBUTES)
      if (properties[key] !== undefined) attributes[key] = String(properties[key]);
    if (properties.RedrivePolicy) attributes['RedrivePolicy'] = JSON.stringify(properties.RedrivePolicy);
    return { name, arn: attribute('Arn'), url: attribute('QueueUrl'), attributes };
  });
  const queueArns = new Set(queues.map(({ arn }) => arn));
  const needQueue = (arn: string, what: string): string => {
    if (!queueArns.has(arn)) throw new Error(`${what} ${arn} is no queue of these stacks`);
    return arn;
  };
  each('AWS::SQS::Queue', Queue, ({ RedrivePolicy }) =>
    RedrivePolicy ? needQueue(RedrivePolicy.deadLetterTargetArn, 'dead letter target') : undefined,
  );

  const buses = ['default', ...each('AWS::Events::EventBus', EventBus, (_properties, { name }) => name)];

  const mappings = each(
    'AWS::Lambda::EventSourceMapping',
    EventSourceMapping,
    (properties, { id }, attribute): MappingPlan => ({
      id,
      arn: attribute('EventSourceMappingArn'),
      queueArn: needQueue(properties.EventSourceArn, 'event source'),
      functionName: properties.FunctionName.split(':').at(-1) ?? '',
      batchSize: properties.BatchSize ?? 10,
      windowS: properties.MaximumBatchingWindowInSeconds ?? 0,
      reportsItemFailures: properties.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
      concurrency: Math.min(
        properties.ScalingConfig?.MaximumConcurrency ?? DEFAULT_CONCURRENCY,
        poolSize(properties.FunctionName.split(':').at(-1) ?? ''),
      ),
      enabled: properties.Enabled ?? true,
    }),
  );

  const invokeConfigs = each('AWS::Lambda::EventInvokeConfig', EventInvokeConfig, (properties) => {
    const onFailure = properties.DestinationConfig?.OnFailure?.Destination;
    if (onFailure) needQueue(onFailure, 'destination');
    return { ...properties, onFailure, functionName: properties.FunctionName.split(':').at(-1) };
  });

  const functions = each(
    'AWS::Lambda::Function',
    LambdaFunction,
    (properties, { name }, attribute): FunctionPlan => {
      const codePath = assembly.assets.get(properties.Code.S3Key);
      if (!codePath || !existsSync(codePath) || !statSync(codePath).isDirectory())
        throw new Error(`property Code.S3Key: ${properties.Code.S3Key} is no asset folder of this assembly`);
      const file = properties.Handler.slice(0, properties.Handler.lastIndexOf('.'));
      if (!['.js', '.mjs', '.cjs'].some((extension) => existsSync(join(codePath, `${file}${extension}`))))
        throw new Error(`property Handler: there is no ${file}.js, .mjs or .cjs in ${codePath}`);
      const config = invokeConfigs.find(({ functionName }) => functionName === name);
      const deadLetterArn = properties.DeadLetterConfig?.TargetArn;
      if (deadLetterArn) needQueue(deadLetterArn, 'dead letter target');
      const stated =
        properties.ReservedConcurrentExecutions ??
        Math.max(0, ...mappings.filter((one) => one.functionName === name).map((one) => one.concurrency));
      const concurrency = Math.min(stated || DEFAULT_CONCURRENCY, poolSize(name));
      return {
        ...{ name, arn: attribute('Arn'), codePath, handler: properties.Handler },
        timeoutS: properties.Timeout ?? 3,
        memoryMb: properties.MemorySize ?? 128,
        environment: properties.Environment?.Variables ?? {},
        concurrency,
        asyncRetries: config?.MaximumRetryAttempts ?? 2,
        asyncMaxAgeS: config?.MaximumEventAgeInSeconds ?? 21_600,
        ...(config?.onFailure ? { onFailureArn: config.onFailure } : {}),
        ...(deadLetterArn ? { deadLetterArn } : {}),
      };
    },
  );
  const functionNames = new Set(functions.map(({ name }) => name));
  const functionArns = new Set(functions.map(({ arn }) => arn));
  const needFunction = (name: string): string => {
    if (!functionNames.has(name)) throw new Error(`${name} is no function of these stacks`);
    return name;
  };
  each('AWS::Lambda::EventSourceMapping', EventSourceMapping, ({ FunctionName }) =>
    needFunction(FunctionName.split(':').at(-1) ?? ''),
  );

  const target = (stated: {
    Arn: string;
    Input?: string | undefined;
    DeadLetterConfig?: { Arn: string } | undefined;
    SqsParameters?: { MessageGroupId: string } | undefined;
  }): TargetPlan => {
    const kind = queueArns.has(stated.Arn) ? 'queue' : functionArns.has(stated.Arn) ? 'function' : undefined;
    if (!kind) throw new Error(`target ${stated.Arn} is neither a queue nor a function of these stacks`);
    if (stated.Input !== undefined) JSON.parse(stated.Input);
    return {
      kind,
      arn: stated.Arn,
      ...(stated.Input === undefined ? {} : { input: stated.Input }),
      ...(stated.SqsParameters ? { messageGroupId: stated.SqsParameters.MessageGroupId } : {}),
      ...(stated.DeadLetterConfig
        ? { deadLetterArn: needQueue(stated.DeadLetterConfig.Arn, 'dead letter queue') }
        : {}),
    };
  };

  const rules: RulePlan[] = [];
  const schedules: SchedulePlan[] = [];
  each('AWS::Events::Rule', Rule, (properties, { name }, attribute) => {
    const arn = attribute('Arn');
    const bus = properties.EventBusName?.split('/').at(-1) ?? 'default';
    if (!buses.includes(bus)) throw new Error(`event bus ${bus} is not in these stacks`);
    if (!properties.EventPattern && !properties.ScheduleExpression)
      throw new Error('it has neither EventPattern nor ScheduleExpression');
    const targets = (properties.Targets ?? []).map(target);
    if (properties.EventPattern) checkEventPattern(properties.EventPattern);
    if (properties.ScheduleExpression) checkScheduleExpression(properties.ScheduleExpression);
    if (properties.State === 'DISABLED') return;
    if (properties.EventPattern) rules.push({ name, arn, bus, pattern: properties.EventPattern, targets });
    if (properties.ScheduleExpression)
      schedules.push({ name, arn, expression: properties.ScheduleExpression, targets });
  });
  each('AWS::Scheduler::Schedule', Schedule, (properties, { name }, attribute) => {
    checkScheduleExpression(properties.ScheduleExpression, properties.ScheduleExpressionTimezone);
    const timeZone = properties.ScheduleExpressionTimezone;
    // The Scheduler sends its target nothing but the input.
    const targets = [{ input: '{}', ...target(properties.Target) }];
    if (properties.State === 'DISABLED') return;
    const expression = properties.ScheduleExpression;
    schedules.push({ name, arn: attribute('Arn'), expression, ...(timeZone ? { timeZone } : {}), targets });
  });

  const apis = each('AWS::ApiGatewayV2::Api', HttpApi, (properties, _names, attribute) => ({
    id: attribute('ApiId'),
    name: properties.Name,
  }));
  if (apis.length > 1)
    problems.push(`the local stack serves one HTTP API, the templates hold ${apis.length}`);
  const integrations = new Map(
    each('AWS::ApiGatewayV2::Integration', HttpIntegration, (properties, _names, attribute) => [
      `integrations/${attribute('IntegrationId')}`,
      {
        functionName: needFunction(
          /function:([^:/]+)/.exec(properties.IntegrationUri)?.[1] ?? properties.IntegrationUri,
        ),
        timeoutMs: properties.TimeoutInMillis ?? 30_000,
      },
    ]),
  );
  const routes = each('AWS::ApiGatewayV2::Route', HttpRoute, (properties): RoutePlan => {
    const integration = integrations.get(properties.Target);
    if (!integration) throw new Error(`property Target: ${properties.Target} is not in these stacks`);
    return { routeKey: properties.RouteKey, ...integration };
  });
  const [api] = apis;

  const secrets = each(
    'AWS::SecretsManager::Secret',
    Secret,
    (properties, { name }, attribute): SecretPlan => {
      const generate = properties.GenerateSecretString;
      return {
        ...{ name, arn: attribute('Id') },
        ...(properties.Description ? { description: properties.Description } : {}),
        ...(properties.SecretString === undefined ? {} : { value: properties.SecretString }),
        ...(generate
          ? {
              generate: {
                template: generate.SecretStringTemplate,
                key: generate.GenerateStringKey,
                length: generate.PasswordLength ?? 32,
              },
            }
          : {}),
      };
    },
  );

  if (problems.length > 0) throw new LocalStackError(problems);
  return {
    ...{ region, tables, queues, buses, rules, schedules, functions, mappings, secrets, outputs },
    ...(api ? { api: { ...api, routes } } : {}),
    resources: resolved.map(({ stack, logicalId, type, names }) => ({
      ...{ stack, logicalId, type, name: names.name },
      ref: RESOURCE_TYPES[type]?.ref(names) ?? names.name,
    })),
    withoutEffect: resolved.flatMap(({ stack, logicalId, type, properties }) => {
      const known = RESOURCE_TYPES[type];
      if (known?.withoutEffect) return [{ stack, logicalId, type, reason: known.withoutEffect }];
      return Object.entries(known?.propertiesWithoutEffect ?? {}).flatMap(([property, reason]) =>
        property in (properties as Record<string, unknown>)
          ? [{ stack, logicalId, type, property, reason }]
          : [],
      );
    }),
  };
};
