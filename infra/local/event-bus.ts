import { randomUUID } from 'node:crypto';
import { AwsError, isRecord, type Operation } from './aws-endpoint.ts';
import { compileEventPattern } from './event-pattern.ts';
import { ACCOUNT_ID, type RulePlan, type TargetPlan } from './plan.ts';

/** The envelope that rules see and targets get. */
export interface EventEnvelope {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** UTC, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** Where the targets of rules and schedules are. Each returns once the message is stored, or throws. */
export interface Delivery {
  toQueue(
    queueArn: string,
    body: string,
    options: { messageGroupId?: string; attributes?: Record<string, string> },
  ): void;
  /** An asynchronous invocation. */
  toFunction(functionArn: string, event: string): void;
}

/** EventBridge gives times without milliseconds. */
export const isoSeconds = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');

/** `$.detail.connection` in an event; anything else is a constant. */
const messageGroup = (expression: string, event: EventEnvelope): string | undefined => {
  if (!expression.startsWith('$.')) return expression;
  let value: unknown = event;
  for (const key of expression.slice(2).split('.')) value = isRecord(value) ? value[key] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
};

/**
 * Sends one event to one target; what the target refuses goes to the target's dead letter queue with AWS's attributes.
 * @throws Error the event is stored nowhere
 */
export const deliver = (
  delivery: Delivery,
  ruleArn: string,
  target: TargetPlan,
  event: EventEnvelope,
): void => {
  const body = target.input ?? JSON.stringify(event);
  try {
    if (target.kind === 'function') {
      delivery.toFunction(target.arn, body);
      return;
    }
    const group =
      target.messageGroupId === undefined ? undefined : messageGroup(target.messageGroupId, event);
    delivery.toQueue(target.arn, body, group === undefined ? {} : { messageGroupId: group });
  } catch (error) {
    if (!target.deadLetterArn) throw error;
    delivery.toQueue(target.deadLetterArn, body, {
      attributes: {
        RULE_ARN: ruleArn,
        TARGET_ARN: target.arn,
        ERROR_CODE: 'SDK_CLIENT_ERROR',
        ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
      },
    });
  }
};

interface FailedEntry {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}
/** Entries of one PutEvents may have this many bytes together (1 MB since January 2026). */
const MAX_REQUEST_BYTES = 1024 * 1024;
const MAX_ENTRIES = 10;

const bytes = (value: unknown) => (typeof value === 'string' ? Buffer.byteLength(value) : 0);
/** As the user guide counts: 14 for a time, the UTF-8 bytes of the rest. */
const entryBytes = (entry: Readonly<Record<string, unknown>>): number => {
  const resources = Array.isArray(entry['Resources']) ? entry['Resources'] : [];
  return (
    (entry['Time'] === undefined ? 0 : 14) +
    bytes(entry['Source']) +
    bytes(entry['DetailType']) +
    bytes(entry['Detail']) +
    resources.reduce<number>((sum, one) => sum + bytes(one), 0)
  );
};

/**
 * PutEvents. An entry is answered with an id only when every matching target has stored it; an entry that could not be
 * delivered, or is not valid, fails alone.
 */
export const putEvents = (options: {
  readonly buses: readonly string[];
  readonly rules: readonly RulePlan[];
  readonly region: string;
  readonly delivery: Delivery;
  readonly nowMs?: () => number;
}): Operation => {
  const nowMs = options.nowMs ?? Date.now;
  const rules = options.rules.map((rule) => ({ ...rule, matches: compileEventPattern(rule.pattern) }));
  const invalid = (field: string): FailedEntry => ({
    ErrorCode: 'InvalidArgument',
    ErrorMessage: `Parameter ${field} is not valid. Reason: ${field} is a required argument.`,
  });

  const put = (entry: Readonly<Record<string, unknown>>): { readonly EventId: string } | FailedEntry => {
    const { Source, DetailType, Detail, EventBusName, Resources, Time } = entry;
    if (typeof Source !== 'string' || Source === '') return invalid('Source');
    if (typeof DetailType !== 'string' || DetailType === '') return invalid('DetailType');
    if (typeof Detail !== 'string' || Detail === '') return invalid('Detail');
    if (Source.startsWith('aws.'))
      return {
        ErrorCode: 'NotAuthorizedForSourceException',
        ErrorMessage: 'Not authorized for the source.',
      };
    let detail: unknown;
    try {
      detail = JSON.parse(Detail);
    } catch {
      detail = undefined;
    }
    if (!isRecord(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const bus = String(EventBusName ?? 'default')
      .split('/')
      .at(-1);
    if (bus === undefined || !options.buses.includes(bus))
      return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
    const event: EventEnvelope = {
      version: '0',
      id: randomUUID(),
      'detail-type': DetailType,
      source: Source,
      account: ACCOUNT_ID,
      time: isoSeconds(typeof Time === 'number' ? Time * 1000 : nowMs()),
      region: options.region,
      resources: Array.isArray(Resources) ? Resources.map(String) : [],
      detail,
    };
    try {
      for (const rule of rules)
        if (rule.bus === bus && rule.matches(event))
          for (const target of rule.targets) deliver(options.delivery, rule.arn, target, event);
    } catch (error) {
      return {
        ErrorCode: 'InternalFailure',
        ErrorMessage: error instanceof Error ? error.message : String(error),
      };
    }
    return { EventId: event.id };
  };

  return ({ Entries }) => {
    if (
      !Array.isArray(Entries) ||
      Entries.length < 1 ||
      Entries.length > MAX_ENTRIES ||
      !Entries.every(isRecord)
    )
      throw new AwsError(
        'ValidationException',
        `Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MAX_ENTRIES}`,
      );
    if (Entries.reduce<number>((sum, entry) => sum + entryBytes(entry), 0) > MAX_REQUEST_BYTES)
      throw new AwsError(
        'ValidationException',
        'Total size of the entries in the request is over the limit.',
      );
    const results = Entries.map(put);
    return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results };
  };
};
