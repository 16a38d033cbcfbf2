import { beforeEach, expect, it } from 'vitest';
import type { StorefrontConnector } from '../../../shared/connectors/contract.ts';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import {
  type AcceptWebhookPorts,
  acceptWebhook,
  type QuarantinedDelivery,
} from '../../../shared/core/accept-webhook.ts';
import { type ReplayRequest, replayDelivery } from '../../../shared/core/replay-delivery.ts';
import type { WideLine } from '../../../shared/observability/wide-event.ts';
import { cases, message, NOW_MS, OTHER_SECRET, payload, SECRET, signed } from '../custom-store/deliveries.ts';

type Ports = AcceptWebhookPorts<{ url: string }, { webhookSecrets: string[] }>;
const DAY = 24 * 60 * 60_000;
const delivery = signed(message(payload(cases[0] ?? '')));
/** The release that does not know the format. */
const former: StorefrontConnector<never, never>['receive'] = (given, context) => {
  const received = customStore.receive(given, context);
  return received.kind === 'order' ? { kind: 'unreadable', reason: 'lines.0.kind: invalid_value' } : received;
};

let now: number;
let secret: string;
let quarantined: QuarantinedDelivery[];
let published: { name: string; meta: Record<string, unknown> }[];
let lines: WideLine[];
let counted: number;

beforeEach(() => {
  now = NOW_MS;
  secret = SECRET;
  quarantined = [];
  published = [];
  lines = [];
  counted = 0;
});

const ports = (receive = customStore.receive as typeof former | typeof customStore.receive): Ports => ({
  connector: { ...customStore, receive } as Ports['connector'],
  connection: 'acme-store',
  maxBodyBytes: 700_000,
  nowMs: () => now,
  newId: () => 'event-1',
  line: (line, metrics = []) => {
    lines.push(line);
    counted += metrics.length;
  },
  context: async () => ({
    connection: 'acme-store',
    settings: { url: 'https://www.acme.example/api/waybill' },
    credentials: { webhookSecrets: [secret] },
    nowMs: () => now,
  }),
  publish: async (name, { meta }) => void published.push({ name, meta: { ...meta } }),
  quarantine: async (kept) => void quarantined.push(kept),
});

/** As it is read from the queue. */
const kept = async (): Promise<ReplayRequest> => {
  await acceptWebhook(ports(former), delivery);
  const [only] = quarantined;
  if (!only) throw new Error('it was not quarantined');
  quarantined = [];
  lines = [];
  counted = 0;
  const read = JSON.parse(JSON.stringify(only)) as QuarantinedDelivery;
  return { replay: { delivery: read, by: 'ada', why: 'release 0.2 knows it' } };
};

it('taken days later by a release that understands it: on the bus, as of when it came', async () => {
  const request = await kept();
  now += 9 * DAY;
  // What the storefront itself could not do any more.
  expect((await acceptWebhook(ports(), delivery)).statusCode).toBe(401);
  lines = [];
  counted = 0;
  expect(await replayDelivery(ports(), request)).toEqual({ status: 'accepted' });
  expect(published).toMatchObject([
    { name: 'order.changed.v1', meta: { connection: 'acme-store', receivedAtMs: NOW_MS, via: 'replay' } },
  ]);
  expect(lines).toMatchObject([
    { what: 'replay-delivery', outcome: 'accepted', reason: 'replayed by ada: release 0.2 knows it' },
  ]);
  expect(counted).toBe(0);
});

it('still not understood: said so, and not kept a second time', async () => {
  const request = await kept();
  expect(await replayDelivery(ports(former), request)).toEqual({
    status: 'quarantined',
    reason: 'lines.0.kind: invalid_value',
  });
  expect(quarantined).toEqual([]);
  expect(published).toEqual([]);
});

it('signed with a secret that is gone: not taken', async () => {
  const request = await kept();
  secret = OTHER_SECRET;
  expect(await replayDelivery(ports(), request)).toMatchObject({ status: 'rejected' });
  expect(published).toEqual([]);
});

it('the bus is away: said so', async () => {
  const request = await kept();
  const down = { ...ports(), publish: () => Promise.reject(new Error('throttled')) };
  expect(await replayDelivery(down, request)).toMatchObject({ status: 'unavailable' });
});

it("of another connection's: refused before anything is done", async () => {
  const { replay } = await kept();
  const other = { replay: { ...replay, delivery: { ...replay.delivery, connection: 'acme-woo' } } };
  await expect(replayDelivery(ports(), other)).rejects.toThrow('the delivery is for acme-woo');
  expect(published).toEqual([]);
});

it('what an older release has kept knew neither method nor address', async () => {
  const { replay } = await kept();
  const { method: _, url: __, ...old } = replay.delivery;
  expect(await replayDelivery(ports(), { replay: { ...replay, delivery: old } })).toEqual({
    status: 'accepted',
  });
});
