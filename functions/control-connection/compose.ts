import type * as z from 'zod';
import { dynamoDb, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoConnectionStates } from '../../shared/aws/dynamo-connection-states.ts';
import { lambdaEventSource } from '../../shared/aws/lambda-api.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { CONTROLLER } from '../../shared/core/connection-states.ts';
import {
  type Controlled,
  type ControlPorts,
  controlConnection,
} from '../../shared/core/control-connection.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { type Metric, wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Wires one ERP connector to the state of its connection and to the event source of its consumer. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const connection = env[ENV.connection];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const { test } = connector.open({
    connection,
    settings: manifest.settings.parse(env[ENV.settings]),
    credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
    nowMs,
  });
  const ports: ControlPorts = {
    connection,
    states: dynamoConnectionStates(dynamo, env[ENV.connectionsTable]),
    eventSource: lambdaEventSource(dynamo, env[ENV.eventSource]),
    test,
    nowMs,
    timeScale: env[ENV.timeScale],
  };
  return scheduledRun({
    what: 'control-connection',
    connection,
    ports: { line: wideEvents(nowMs), nowMs },
    work: async (call) => report(await controlConnection(ports, call)),
  });
};

const report = ({ row, did, said, switched }: Controlled): Ran => {
  const isOurs = row.state === 'paused' && row.by === CONTROLLER;
  const metrics: Metric[] = [
    { name: METRICS.connectionChecks, value: 1 },
    { name: METRICS.connectionPaused, value: isOurs ? 1 : 0 },
    // The consumer is off and meets no refusal: the alarm would think that all is well.
    ...(isOurs && row.cause === 'credentials' ? [{ name: METRICS.credentialsRefused, value: 1 }] : []),
  ];
  return {
    line: {
      outcome: did,
      code: did === 'passed' || did === 'unclear' ? row.failure?.code : row.code,
      reason: said ?? (row.state === 'paused' ? row.why : undefined),
      switched,
    },
    metrics,
  };
};
