import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, expect, it, vi } from 'vitest';
import { eventBridge, REQUEST_LIMITS } from '../../../shared/aws/clients.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('asks again when an answer never comes, within the time of a webhook', async () => {
  expect(2 * REQUEST_LIMITS.requestTimeout + 1_000).toBeLessThan(15_000);
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    if (requests > 1) {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const [name, value] of Object.entries({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  })) {
    vi.stubEnv(name, value);
  }
  const client = eventBridge();
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] }));
    expect(answer.Entries).toEqual([{ EventId: '1' }]);
    expect(requests).toBe(2);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}, 20_000);
