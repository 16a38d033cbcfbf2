import type { FastifyInstance, FastifyReply } from 'fastify';

/** An error as AWS answers it; the SDK makes an exception of `type` from it. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.type = type;
    this.status = status;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Operation = (input: Readonly<Record<string, unknown>>) => unknown;
/** `AWSEvents` -> `PutEvents` -> work: what follows the dot in X-Amz-Target. */
export type JsonServices = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const answerError = (reply: FastifyReply, error: unknown) => {
  const aws =
    error instanceof AwsError
      ? error
      : new AwsError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
  return reply
    .code(aws.status)
    .header('x-amzn-errortype', aws.type)
    .send({ __type: aws.type, message: aws.message });
};

/** Serves services of AWS's JSON 1.1 protocol at `POST /`. */
export const registerJsonServices = (app: FastifyInstance, services: JsonServices): void => {
  app.setErrorHandler((error, _request, reply) => answerError(reply, error));
  app.post('/', async (request, reply) => {
    const [service = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const work = services[service]?.[operation];
    if (!work) throw new AwsError('UnknownOperationException', `${service}.${operation} is not known here`);
    let input: unknown;
    try {
      input = JSON.parse((request.body as Buffer | undefined)?.toString() || '{}');
    } catch {
      throw new AwsError('SerializationException', 'the body is not JSON');
    }
    if (!isRecord(input)) throw new AwsError('SerializationException', 'the body is no object');
    const output = await work(input);
    return reply.header('content-type', 'application/x-amz-json-1.1').send(JSON.stringify(output ?? {}));
  });
};
