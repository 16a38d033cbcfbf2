import { isoSeconds } from './event-bus.ts';
import type { InvocationResult } from './function-host.ts';
import type { FunctionPlan } from './plan.ts';
import { type Queues, type ReceivedMessage, startQueues } from './queues.ts';

/** Lambda waits this long before it repeats a failed asynchronous invocation, in seconds. */
const RETRY_DELAYS_S = [60, 120] as const;
/** Nobody else takes from these queues: a message comes back when it is told to, or after a restart. */
const HIDDEN_S = 43_200;

export interface AsyncInvocations {
  /** Stored when it returns; invoked as soon as a process is free. */
  accept(functionName: string, event: string): void;
  stop(): Promise<void>;
}

/**
 * Asynchronous invocations (schedules, rules with function targets, Invoke with type Event): kept in a queue of their
 * own, repeated as Lambda does, then handed to the function's failure destination or dead letter queue.
 */
export const startAsyncInvocations = async (options: {
  readonly functions: readonly FunctionPlan[];
  readonly region: string;
  readonly directory?: string;
  readonly invoke: (functionName: string, event: string) => Promise<InvocationResult>;
  /** The stack's own queues: where failures go. */
  readonly queues: Queues;
  readonly onDropped: (functionName: string, reason: string) => void;
  /** Multiplies the delays. */
  readonly timeScale?: number;
}): Promise<AsyncInvocations> => {
  const { functions, region, queues } = options;
  const delaysS = RETRY_DELAYS_S.map((delayS) => Math.ceil(delayS * (options.timeScale ?? 1)));
  const own = await startQueues({
    region,
    front: false,
    ...(options.directory ? { directory: options.directory } : {}),
  });
  const arnOf = (functionName: string) => `arn:aws:sqs:${region}:000000000000:${functionName}`;
  own.create(
    functions.map(({ name }) => ({
      name,
      arn: arnOf(name),
      url: `async:/${name}`,
      attributes: { VisibilityTimeout: String(HIDDEN_S) },
    })),
  );

  const giveUp = (plan: FunctionPlan, message: ReceivedMessage, result: InvocationResult & { ok: false }) => {
    const { error, requestId } = result;
    if (plan.onFailureArn)
      queues.send(
        plan.onFailureArn,
        JSON.stringify({
          version: '1.0',
          timestamp: isoSeconds(Date.now()),
          requestContext: {
            requestId,
            functionArn: `${plan.arn}:$LATEST`,
            condition: 'RetriesExhausted',
            approximateInvokeCount: message.receiveCount,
          },
          requestPayload: JSON.parse(message.body) as unknown,
          responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
          responsePayload: error,
        }),
      );
    if (plan.deadLetterArn)
      queues.send(plan.deadLetterArn, message.body, {
        attributes: { RequestID: requestId, ErrorCode: '200', ErrorMessage: error.errorMessage },
      });
    if (!plan.onFailureArn && !plan.deadLetterArn) options.onDropped(plan.name, error.errorMessage);
  };

  const run = async (plan: FunctionPlan, message: ReceivedMessage) => {
    const queueArn = arnOf(plan.name);
    const result = await options.invoke(plan.name, message.body);
    if (!result.ok) {
      const delayS = delaysS[message.receiveCount - 1];
      const isYoung = Date.now() - message.sentAtMs < plan.asyncMaxAgeS * 1000;
      if (message.receiveCount <= plan.asyncRetries && delayS !== undefined && isYoung)
        return own.changeVisibility(queueArn, message.receiptHandle, delayS);
      giveUp(plan, message, result);
    }
    own.delete(queueArn, message.receiptHandle);
  };

  let stopped = false;
  const poll = async (plan: FunctionPlan) => {
    let running = 0;
    let wake: (() => void) | undefined;
    while (!stopped) {
      if (running >= plan.concurrency) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      for (const message of await own.receive(arnOf(plan.name), 1, 20)) {
        running += 1;
        // A rejection means that the stack is stopping: the message is still there at the next start.
        void run(plan, message)
          .catch(() => undefined)
          .finally(() => {
            running -= 1;
            wake?.();
          });
      }
    }
  };
  for (const plan of functions) void poll(plan);

  return {
    accept: (functionName, event) => {
      own.send(arnOf(functionName), event);
    },
    stop: async () => {
      stopped = true;
      await own.stop();
    },
  };
};
