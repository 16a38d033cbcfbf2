import type { FastifyInstance } from 'fastify';
import { AwsError, isRecord } from './aws-endpoint.ts';
import type { InvocationResult } from './function-host.ts';
import type { FunctionPlan } from './plan.ts';
import type { QueuePoller } from './queue-poller.ts';

/** The part of Lambda's API that pauses consumers and calls functions (paths of 2015-03-31). */
export const registerLambdaControl = (
  app: FastifyInstance,
  stack: () => {
    readonly functions: readonly FunctionPlan[];
    readonly pollers: readonly QueuePoller[];
    readonly invoke: (functionName: string, event: string) => Promise<InvocationResult>;
    readonly invokeLater: (functionName: string, event: string) => void;
    readonly onEnabled: (mappingId: string, enabled: boolean) => void;
  },
): void => {
  const describe = (poller: QueuePoller) => {
    const { mapping } = poller;
    const plan = stack().functions.find(({ name }) => name === mapping.functionName);
    return {
      UUID: mapping.id,
      BatchSize: mapping.batchSize,
      MaximumBatchingWindowInSeconds: mapping.windowS,
      EventSourceArn: mapping.queueArn,
      EventSourceMappingArn: mapping.arn,
      FunctionArn: plan?.arn ?? '',
      FunctionResponseTypes: mapping.reportsItemFailures ? ['ReportBatchItemFailures'] : [],
      ScalingConfig: { MaximumConcurrency: mapping.concurrency },
      State: poller.isEnabled() ? 'Enabled' : 'Disabled',
      StateTransitionReason: 'USER_INITIATED',
    };
  };
  const find = (id: string): QueuePoller => {
    const poller = stack().pollers.find(({ mapping }) => mapping.id === id);
    if (!poller)
      throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
    return poller;
  };
  const body = (value: unknown): Readonly<Record<string, unknown>> => {
    const parsed: unknown = JSON.parse((value as Buffer | undefined)?.toString() || '{}');
    return isRecord(parsed) ? parsed : {};
  };

  app.get<{ Querystring: { FunctionName?: string; EventSourceArn?: string } }>(
    '/2015-03-31/event-source-mappings',
    async ({ query }) => ({
      EventSourceMappings: stack()
        .pollers.filter(
          ({ mapping }) =>
            (!query.FunctionName || query.FunctionName.split(':').at(-1) === mapping.functionName) &&
            (!query.EventSourceArn || query.EventSourceArn === mapping.queueArn),
        )
        .map(describe),
    }),
  );
  app.get<{ Params: { id: string } }>('/2015-03-31/event-source-mappings/:id', async ({ params }) =>
    describe(find(params.id)),
  );
  app.put<{ Params: { id: string } }>('/2015-03-31/event-source-mappings/:id', async (request, reply) => {
    const poller = find(request.params.id);
    const { Enabled, FunctionName: _same, ...others } = body(request.body);
    const [other] = Object.keys(others);
    if (other)
      throw new AwsError('InvalidParameterValueException', `${other} cannot be changed in the local stack`);
    if (typeof Enabled === 'boolean') {
      poller.setEnabled(Enabled);
      stack().onEnabled(poller.mapping.id, Enabled);
    }
    return reply.code(202).send(describe(poller));
  });
  app.post<{ Params: { name: string } }>(
    '/2015-03-31/functions/:name/invocations',
    async (request, reply) => {
      const { invoke, invokeLater, functions } = stack();
      const plan = functions.find(({ name, arn }) => [name, arn].includes(request.params.name));
      if (!plan)
        throw new AwsError('ResourceNotFoundException', `Function not found: ${request.params.name}`, 404);
      const event = (request.body as Buffer | undefined)?.toString() || '{}';
      try {
        JSON.parse(event);
      } catch {
        throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json');
      }
      const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      if (type === 'DryRun') return reply.code(204).send();
      if (type === 'Event') {
        invokeLater(plan.name, event);
        return reply.code(202).send();
      }
      const result = await invoke(plan.name, event);
      reply.header('x-amz-executed-version', '$LATEST').header('content-type', 'application/json');
      if (result.ok) return reply.send(result.payload);
      return reply.header('x-amz-function-error', 'Unhandled').send(JSON.stringify(result.error));
    },
  );
};
