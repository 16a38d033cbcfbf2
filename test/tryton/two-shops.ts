import { randomUUID } from 'node:crypto';
import { shopify } from '../../shared/connectors/shopify/index.ts';
import { manifest as shopifyManifest } from '../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../shared/connectors/shopify/stock.ts';
import type { StockAbility, StorefrontStock } from '../../shared/connectors/stock-contract.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { manifest as wooManifest } from '../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../shared/connectors/woocommerce/stock.ts';
import { acceptWebhook, type WebhookSender } from '../../shared/core/accept-webhook.ts';
import { settledOf } from '../../shared/core/order-settled.ts';
import { type PushOutcome, pushOrder } from '../../shared/core/push-order.ts';
import { readOneOf, type Told } from '../../shared/core/sqs-batch.ts';
import { learnListings } from '../../shared/core/stock/learn-listings.ts';
import { type PolledStock, pollStock } from '../../shared/core/stock/poll-stock.ts';
import { projectStock } from '../../shared/core/stock/project-stock.ts';
import { readStock } from '../../shared/core/stock/read-stock.ts';
import { writeStock } from '../../shared/core/stock/write-stock.ts';
import type { EventName, Publish } from '../../shared/events/catalogue.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import type { StockRoute } from '../../shared/settings/stock-route.ts';
import { memoryCursors } from '../fakes/memory-cursors.ts';
import { memoryJournal } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { memoryPollStates, memoryStock } from '../fakes/memory-stock.ts';
import { startPeerServer } from '../fakes/peer-server.ts';
import { startFakeShopify } from '../fakes/shopify/index.ts';
import { startFakeWooCommerce } from '../fakes/woocommerce.ts';
import { mappingsOf } from '../unit/tryton/harness.ts';
import { SEED } from './seed.ts';

export const A = 'acme-woo';
export const B = 'acme-shopify';
export const ERP = 'acme-tryton';

const WOO = { webhookSecrets: ['wc_flow_0123456789'], consumerKey: 'ck_flow', consumerSecret: 'cs_flow' };
const SHOPIFY = { webhookSecrets: ['shpss_flow_0123456789'], accessToken: 'shpat_flow_0123456789' };
const SHOP = 'acme.myshopify.com';
const MINUTE_MS = 60_000;
/** What is told again for longer than that never comes to rest. */
const MOST_ROUNDS = 30;

/** What a shop sells, and how much of it its own staff have typed in. */
interface Sold {
  readonly sku: string;
  readonly inA: number;
  readonly inB: number;
}

/**
 * Two shops that sell what a Tryton has: a fake WooCommerce and a fake Shopify over HTTP, with their webhooks, and between
 * them and Tryton the connectors and use-cases that are deployed. Their queues are in memory, and are worked off when a
 * test says so: those of stock apart from that of orders, so that it can be seen what shops show before Tryton
 * knows of a sale.
 */
export const twoShops = async (
  erp: { readonly url: string; readonly database: string },
  route: StockRoute,
  sold: readonly Sold[],
) => {
  const a = await startFakeWooCommerce({
    ...WOO,
    currency: 'TWD',
    products: sold.map(({ sku, inA }) => ({ sku, name: sku, price: '100.00', stock: inA })),
  });
  const b = await startFakeShopify({
    shop: SHOP,
    clientSecret: SHOPIFY.webhookSecrets[0] ?? '',
    accessToken: SHOPIFY.accessToken,
    currency: 'TWD',
    products: sold.map(({ sku, inB }) => ({ sku, title: sku, price: '100.00', stock: inB })),
  });

  // ---- bus -------------------------------------------------------------------------------------------------
  /** What follows from an answer never happened in the same millisecond: there a queue takes longer than that. */
  let lastMs = 0;
  const nowMs = () => {
    lastMs = Math.max(lastMs + 1, Date.now());
    return lastMs;
  };
  const queueOf = <N extends EventName>(events: readonly N[], isMine: (told: Told<N>) => boolean) => {
    let bodies: string[] = [];
    return {
      offer: (name: EventName, body: string) => {
        const mine = events.find((each) => each === name);
        if (mine && isMine(readOneOf([mine], body) as Told<N>)) bodies.push(body);
      },
      isEmpty: () => bodies.length === 0,
      /** Everything, as one batch. */
      take: (): Told<N>[] => {
        const taken = bodies.map((body) => readOneOf(events, body));
        bodies = [];
        return taken;
      },
    };
  };
  const any = () => true;
  const dueAt = (shop: string) => queueOf(['stock.due.v1'], ({ event }) => event.data.destination === shop);
  const queues = {
    orders: queueOf(['order.changed.v1'], any),
    project: queueOf(['stock.changed.v1', 'order.settled.v1', 'order.changed.v1'], any),
    read: queueOf(['order.settled.v1'], any),
    writeA: dueAt(A),
    writeB: dueAt(B),
  };
  const publish: Publish = async (name, event) => {
    const body = JSON.stringify({ 'detail-type': name, detail: event });
    for (const queue of Object.values(queues)) queue.offer(name, body);
  };
  const common = { erp: ERP, route, publish, nowMs, newId: randomUUID };

  // ---- webhooks --------------------------------------------------------------------------------------------
  const refused: string[] = [];
  const door = await startPeerServer((app) => {
    const receive = <S, C>(connection: string, connector: WebhookSender<S, C>, settings: S, credentials: C) =>
      app.post(`/${connection}`, async (request, reply) => {
        const { statusCode, body } = await acceptWebhook(
          {
            connector,
            connection,
            context: async () => ({ connection, settings, credentials, nowMs }),
            publish,
            quarantine: async ({ reason }) => void refused.push(reason),
            line: () => undefined,
            nowMs,
            newId: randomUUID,
            maxBodyBytes: 1_000_000,
          },
          {
            method: 'POST',
            url: `${door.url}${request.url}`,
            headers: Object.fromEntries(
              Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
            ),
            body: request.body as Buffer,
          },
        );
        if (statusCode >= 400) refused.push(`${connection}: ${body?.reason}`);
        return reply.code(statusCode).send(body ?? '');
      });
    receive(A, woocommerce, wooManifest.settings.parse({ url: a.url }), WOO);
    receive(B, shopify, shopifyManifest.settings.parse({ shop: SHOP, url: b.url }), SHOPIFY);
  });
  await a.registerWebhook({
    topic: 'order.updated',
    deliveryUrl: `${door.url}/${A}`,
    secret: WOO.webhookSecrets[0] ?? '',
  });
  b.registerWebhook({ topic: 'orders/updated', deliveryUrl: `${door.url}/${B}` });

  // ---- Tryton ----------------------------------------------------------------------------------------------
  const { orders, stock } = tryton.open({
    connection: ERP,
    settings: tryton.manifest.settings.parse({ url: erp.url, database: erp.database }) as never,
    credentials: async () => ({ login: SEED.login, password: SEED.password }),
    nowMs,
  });
  if (!stock) throw new Error('Tryton reads stock');
  const orderRoutes = [A, B].map((from) =>
    OrderRoute.parse({ from, to: ERP, startAt: '2026-01-01T00:00:00+08:00' }),
  );
  const mappings = mappingsOf([]);
  const store = memoryStock();
  const states = memoryPollStates();
  const cursors = memoryCursors(nowMs);
  // Nobody reads orders at the shops here: what no webhook told stays unknown.
  const watermarks = { of: async () => undefined };
  const pushing = {
    destination: ERP,
    routes: orderRoutes,
    erp: orders,
    nowMs,
    leaseMs: 2 * MINUTE_MS,
    settleMs: MINUTE_MS,
    ledger: memoryLedger(nowMs),
    journal: memoryJournal(),
    mappings,
    bindings: { put: async () => undefined },
    refetch: {
      sources: new Set<string>(),
      notify: async () => {
        throw new Error('no two copies of one version differ here');
      },
    },
  };
  const call = () => ({ signal: AbortSignal.timeout(MINUTE_MS) });

  // ---- shops -----------------------------------------------------------------------------------------------
  const shopOf = <S, C>(
    shop: string,
    ability: StockAbility | undefined,
    settings: S,
    credentials: C,
    open: (options: {
      connection: string;
      settings: S;
      credentials: () => Promise<C>;
      nowMs: () => number;
    }) => StorefrontStock,
  ) => {
    if (!ability) throw new Error(`stock can be set at ${shop}`);
    const storefront = open({ connection: shop, settings, credentials: async () => credentials, nowMs });
    const ports = { ...common, shop, stock: storefront, store, mappings, watermarks };
    return {
      learn: () => learnListings(ports, call()),
      write: (listings: readonly { readonly sku: string; readonly location: string }[]) =>
        writeStock(
          { ...ports, compare: ability.compare, settleMs: MINUTE_MS, sendWithinMs: MINUTE_MS / 2 },
          listings,
          call(),
        ),
    };
  };
  const shops = [
    {
      queue: queues.writeA,
      ...shopOf(
        A,
        wooManifest.stock,
        wooManifest.settings.parse({ url: a.url }),
        WOO,
        woocommerceStock.openStock,
      ),
    },
    {
      queue: queues.writeB,
      ...shopOf(
        B,
        shopifyManifest.stock,
        shopifyManifest.settings.parse({ shop: SHOP, url: b.url }),
        SHOPIFY,
        shopifyStock.openStock,
      ),
    },
  ];

  /** Sums, readings and writes, until nothing is left to be done. */
  const stockFlows = async (): Promise<void> => {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const settled = queues.read.take();
      if (settled.length > 0) {
        const orders = settled.map(({ event }) => event.data);
        await readStock({ ...common, stock, store, mappings, states }, orders, call());
      }
      const news = queues.project.take();
      if (news.length > 0) await projectStock({ ...common, orderRoutes, store, mappings, watermarks }, news);
      for (const { queue, write } of shops) {
        const due = queue.take().flatMap(({ event }) => event.data.listings);
        if (due.length === 0) continue;
        const wrote = await write(due);
        if (wrote.againMs !== undefined || wrote.failure) throw new Error(JSON.stringify(wrote));
      }
      if ([queues.read, queues.project, queues.writeA, queues.writeB].every((queue) => queue.isEmpty()))
        return;
    }
    throw new Error('the shops do not come to rest');
  };
  /** What the shops have told becomes sales in Tryton. */
  const ordersFlow = async (): Promise<readonly PushOutcome[]> => {
    const outcomes: PushOutcome[] = [];
    for (const { event } of queues.orders.take()) {
      const outcome = await pushOrder(pushing, event, call());
      const settled = settledOf(ERP, event, outcome, nowMs());
      if (settled) await publish('order.settled.v1', settled);
      outcomes.push(outcome);
    }
    return outcomes;
  };

  return {
    a,
    b,
    /** All webhooks of the shops have been answered. @throws Error one was not taken */
    told: async (): Promise<void> => {
      await Promise.all([a.settled(), b.settled()]);
      if (refused.length > 0) throw new Error(refused.join('\n'));
    },
    stockFlows,
    ordersFlow,
    learn: async (): Promise<void> => {
      for (const { learn } of shops) await learn();
    },
    /** As the schedule does. */
    poll: (): Promise<PolledStock> =>
      pollStock(
        {
          ...common,
          stock,
          store,
          states,
          cursors,
          leaseMs: MINUTE_MS,
          overlapMs: 10 * MINUTE_MS,
          allEveryMs: 24 * 60 * MINUTE_MS,
        },
        {},
        call(),
      ),
    /** What buyers see. */
    shown: (sku: string) => ({
      a: a.product(sku).stock,
      b: b.inventory.level(b.inventory.find(sku)).available,
    }),
    stop: async (): Promise<void> => {
      await Promise.all([a.stop(), b.stop(), door.stop()]);
    },
  };
};
