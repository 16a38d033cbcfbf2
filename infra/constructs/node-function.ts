import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ENV } from '../../shared/observability/names.ts';
import type { Alarms, Severity } from '../monitoring/alarms.ts';
import { withCode } from './bundle.ts';

export type Environment = Readonly<Partial<Record<(typeof ENV)[keyof typeof ENV], string>>>;

export interface NodeFunctionProps {
  readonly description: string;
  /** Absolute path of a module that exports `handler`. */
  readonly entry: string;
  readonly environment: Environment;
  readonly timeout: Duration;
  /**
   * CPU comes with memory: 512 MB are 0.3 of a core, enough that starting is not the slowest part of a webhook.
   * @default 512
   */
  readonly memoryMb?: number;
  readonly alarms: Alarms;
  /** Headings `<concern>-errors` and `<concern>-throttled` of the runbook. */
  readonly concern: string;
  /** Whether what fails here is lost (page) or comes back by itself (ticket). */
  readonly severity: Severity;
}

/** Lambda's own limit for all variables of a function together. */
const MAX_ENVIRONMENT_BYTES = 4096;
/** What is only known at deployment (ARNs, URLs) is counted with this many bytes: queue URLs can be this long. */
const UNKNOWN_BYTES = 160;

/**
 * A function with its log, a role that may write to that log and nothing else, and the two alarms that every
 * function has.
 *
 * Tracing is off: one wide line per record carries the correlation id, and X-Ray's permissions are not
 * restricted to a resource.
 */
export class NodeFunction extends Construct {
  readonly fn: lambda.Function;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const { description, entry, environment, timeout, memoryMb = 512, alarms, concern, severity } = props;
    const bytes = environmentBytes(environment);
    if (bytes > MAX_ENVIRONMENT_BYTES) {
      throw new Error(
        `${this.node.path}: the environment has ${bytes} bytes, Lambda takes ${MAX_ENVIRONMENT_BYTES}: shorten statuses, tax number keys or routes of this connection`,
      );
    }
    // A quarter: longer than anything parked or archived lives.
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    this.fn = withCode(
      entry,
      (code) =>
        new lambda.Function(this, 'Function', {
          description,
          runtime: lambda.Runtime.NODEJS_24_X,
          architecture: lambda.Architecture.ARM_64,
          code,
          handler: 'index.handler',
          environment: { ...environment },
          timeout,
          memorySize: memoryMb,
          role,
          logGroup,
          tracing: lambda.Tracing.DISABLED,
        }),
    );
    const period = Duration.minutes(5);
    alarms.add(this, {
      runbook: `${concern}-errors`,
      metric: this.fn.metricErrors({ period }),
      threshold: 1,
      evaluationPeriods: 1,
      severity,
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing ran
    });
    alarms.add(this, {
      runbook: `${concern}-throttled`,
      metric: this.fn.metricThrottles({ period }),
      threshold: 1,
      // What comes back by itself may be refused once in a while.
      evaluationPeriods: severity === 'page' ? 1 : 3,
      severity,
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing ran
    });
  }
}

/** @returns an upper bound; exact where everything is known */
const environmentBytes = (environment: Environment): number =>
  Object.entries(environment)
    .map(
      ([key, value]) => key.length + (Token.isUnresolved(value) ? UNKNOWN_BYTES : Buffer.byteLength(value)),
    )
    .reduce((a, b) => a + b, 0);
