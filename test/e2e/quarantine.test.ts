import { createHmac } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import type { QuarantinedDelivery } from '../../shared/core/accept-webhook.ts';
import { oneShopOneErp, SECRET } from './one-shop-one-erp.ts';

/** What an earlier release did not understand is taken once more by this one, through templates and bundles as deployed. */
const stage = oneShopOneErp();
const { start, says, buy, waybill, address } = stage;

const keep = async (body: string): Promise<void> => {
  const { env, quarantineQueue } = await address();
  const delivery: QuarantinedDelivery = {
    connection: 'acme-woo',
    connector: 'woocommerce',
    reason: 'line_items.0.kind: invalid_value',
    receivedAtMs: Date.now() - 3 * 24 * 60 * 60_000,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-wc-webhook-topic': 'order.updated',
      'x-wc-webhook-resource': 'order',
      'x-wc-webhook-event': 'updated',
      'x-wc-webhook-signature': createHmac('sha256', SECRET).update(body).digest('base64'),
    },
    body: Buffer.from(body).toString('base64'),
  };
  const client = new SQSClient({
    endpoint: env['AWS_ENDPOINT_URL_SQS'] ?? '',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(
    new SendMessageCommand({ QueueUrl: quarantineQueue, MessageBody: JSON.stringify(delivery) }),
  );
  client.destroy();
};
const idsOf = async (): Promise<string[]> =>
  (JSON.parse((await waybill('quarantine', 'list', '--json')).out) as { id: string }[]).map(({ id }) => id);

it('a delivery in quarantine becomes an order; one that is still not understood stays', async () => {
  const id = await buy(); // before anybody listens
  await start();
  const order = JSON.stringify(stage.shop.order(id));
  await keep(order);
  await keep('{"id":7,"line_items":"none"}');

  const listed = await waybill('quarantine', 'list');
  expect(listed.out.match(/acme-woo .*line_items\.0\.kind: invalid_value/g)).toHaveLength(2);
  expect((await waybill('status')).code).toBe(1);
  const [first = ''] = await idsOf();
  expect((await waybill('quarantine', 'show', first.slice(0, 8))).out).toContain('x-wc-webhook-signature');
  expect((await waybill('quarantine', 'replay', '--all')).out).toContain('replay would take 2 messages');
  expect(stage.erp.orders()).toEqual([]);

  const replayed = await waybill(
    'quarantine',
    'replay',
    '--all',
    '--yes',
    '--by',
    'ada',
    '--why',
    'release 0.2',
  );
  expect(replayed.code).toBe(1);
  expect(replayed.out).toMatch(/acme-woo {2}accepted/);
  expect(replayed.out).toMatch(/acme-woo {2}quarantined: it stays in quarantine/);
  await says(/written as S00001/);
  expect(await idsOf()).toHaveLength(1);

  // Understood once, and there twice: the second copy changes nothing.
  await keep(order);
  await waybill('quarantine', 'replay', '--all', '--yes', '--why', 'again');
  await says(/nothing to do/);
  expect(stage.erp.orders()).toHaveLength(1);
}, 150_000);
