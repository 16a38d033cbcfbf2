import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What went through, as it was sent. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface RecordingProxy {
  readonly url: string;
  readonly recorded: readonly Recorded[];
  stop(): Promise<void>;
}

/** A server in front of a peer that passes everything on, host name and all, and remembers it. */
export const startRecordingProxy = async (peer: string): Promise<RecordingProxy> => {
  const recorded: Recorded[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = 'GET', url: path = '/', headers } = request;
    recorded.push({ method, path, body: body.toString() });
    ask(`${peer}${path}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.destroy())
      .end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recorded,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
