import { createHmac } from 'node:crypto';
import * as z from 'zod';
import type {
  Delivery,
  Fetched,
  ListedOrder,
  OpenOptions,
  ReadableStorefront,
  ReceiveContext,
  Received,
  StorefrontReads,
} from '../../../shared/connectors/contract.ts';
import { CredentialsError, RetryableError } from '../../../shared/core/errors.ts';
import type { CallContext } from '../../../shared/core/ports.ts';
import { UnreadableOrder } from '../../../shared/core/read-amounts.ts';
import { readFirst } from '../../../shared/core/walk-changes.ts';
import { Anything, RequiredId, Text } from '../../../shared/core/wire-schema.ts';
import { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { fetchJson, statusError } from '../../../shared/http/fetch-json.ts';
import { withFreshCredentials } from '../../../shared/http/fresh-credentials.ts';
import { decodeUtf8, firstProblem, jsonOf } from '../../../shared/http/json.ts';
import { readAnswer } from '../../../shared/http/read-answer.ts';
import { signatureProblem } from '../../../shared/http/signature.ts';
import { type MarketplaceCredentials, type MarketplaceSettings, manifest } from './manifest.ts';
import { MpIncome, MpOrder, toOrder } from './orders.mapper.ts';

/** A connector for `test/fakes/marketplace.ts`: proof that the contract fits a marketplace. Not a product. */
export const marketplace: ReadableStorefront<MarketplaceSettings, MarketplaceCredentials> = {
  manifest,
  replies: { accepted: 200, ping: 200, ignored: 200, quarantined: 200, withoutBody: true },
  receive: (delivery, context) => receive(delivery, context),
  open: (options) => open(options),
};

const Push = z.object({ code: z.int(), shop_id: Anything, data: Anything });
const OrderPush = z.object({ ordersn: RequiredId });
const ORDER_CODES = [3, 4];

const receive = (
  delivery: Delivery,
  { settings, credentials }: ReceiveContext<MarketplaceSettings, MarketplaceCredentials>,
): Received => {
  const url = settings.callbackUrl ?? delivery.url ?? '';
  const signed = Buffer.concat([Buffer.from(`${url}|`), delivery.body]);
  const problem = signatureProblem(
    signed,
    delivery.headers['authorization']?.trim(),
    credentials.webhookSecrets,
    'hex',
  );
  if (problem) return { kind: 'rejected', reason: problem };
  const text = decodeUtf8(delivery.body);
  const push = Push.safeParse(text === undefined ? undefined : jsonOf(text));
  if (!push.success) return { kind: 'unreadable', reason: firstProblem(push.error) };
  // One address for all shops of the app.
  if (push.data.shop_id !== undefined && push.data.shop_id !== settings.shopId) {
    return { kind: 'ignored', reason: 'OTHER_SHOP' };
  }
  if (!ORDER_CODES.includes(push.data.code)) return { kind: 'ignored', reason: `CODE_${push.data.code}` };
  const order = OrderPush.safeParse(push.data.data);
  return order.success
    ? { kind: 'notified', orderId: order.data.ordersn }
    : { kind: 'unreadable', reason: `data.${firstProblem(order.error)}` };
};

/** Of the list, and of what can be asked for together. */
const LONGEST_WINDOW_S = 15 * 24 * 60 * 60;
const DETAILS_AT_ONCE = 50;

const Answer = z.object({ error: Text, response: Anything });

const open = ({
  connection,
  settings,
  credentials,
  nowMs,
}: OpenOptions<MarketplaceSettings, MarketplaceCredentials>): StorefrontReads => {
  const peer = new URL(settings.url).host;

  const ask = async <T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    { partnerKey, accessToken }: MarketplaceCredentials,
    { signal }: CallContext,
  ): Promise<T | undefined> => {
    if (!partnerKey || !accessToken) {
      throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no partnerKey and accessToken');
    }
    const timestamp = String(Math.floor(nowMs() / 1000));
    const { partnerId, shopId } = settings;
    const text = `${partnerId}/api/v2/${path}${timestamp}${accessToken}${shopId}`;
    const sign = createHmac('sha256', partnerKey).update(text).digest('hex');
    const url = `${settings.url}/api/v2/${path}?${new URLSearchParams({
      ...query,
      timestamp,
      sign,
      partner_id: String(partnerId),
      shop_id: String(shopId),
      access_token: accessToken,
    })}`;
    const response = await fetchJson({ url, signal, deadlineMs: 20_000, write: false });
    const failed = statusError(response, { peer, write: false, nowMs: nowMs() });
    if (failed) throw failed;
    const { error, response: told } = readAnswer(response, Answer, { peer });
    if (error === 'error_not_found') return undefined;
    if (/^error_(auth|sign|permission)$|^invalid_acce+s+_token$/.test(error)) {
      throw new CredentialsError('CREDENTIALS_REFUSED', `${peer} refused the call: ${error}`);
    }
    const parsed = schema.safeParse(told);
    if (error === '' && parsed.success) return parsed.data;
    throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: ${error || 'another answer than agreed'}`);
  };

  /** Ids that changed in a part of a window, and when: the list does not say that. */
  const changedIn = async (fromS: number, toS: number, call: CallContext): Promise<ListedOrder[]> => {
    const List = z.object({
      order_list: z.array(z.object({ order_sn: RequiredId })),
      more: z.boolean(),
      next_cursor: Text,
    });
    const Details = z.object({
      order_list: z.array(z.object({ order_sn: RequiredId, update_time: z.int() })),
    });
    const listed: ListedOrder[] = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const window = { time_from: String(fromS), time_to: String(toS), time_range_field: 'update_time' };
      const query: Record<string, string> = { ...window, cursor, page_size: String(DETAILS_AT_ONCE) };
      const page: z.infer<typeof List> | undefined = await withFreshCredentials(credentials, (keys) =>
        ask('order/get_order_list', query, List, keys, call),
      );
      const ids = page?.order_list.map(({ order_sn }) => order_sn) ?? [];
      const details =
        ids.length > 0 &&
        (await withFreshCredentials(credentials, (keys) =>
          ask('order/get_order_detail', { order_sn_list: ids.join(',') }, Details, keys, call),
        ));
      if (details) {
        for (const { order_sn: id, update_time: atS } of details.order_list) {
          listed.push({ id, changedAtMs: atS * 1000 });
        }
      }
      cursor = page?.more ? page.next_cursor : undefined;
    }
    return listed.toSorted((a, b) => a.changedAtMs - b.changedAtMs);
  };

  const reads: StorefrontReads = {
    test: (call) => readFirst(reads.changed({ fromMs: nowMs(), untilMs: nowMs() + 1 }, call)),
    async *changed({ fromMs, untilMs }, call) {
      const lastS = Math.ceil(untilMs / 1000) - 1;
      for (let fromS = Math.floor(fromMs / 1000); fromS <= lastS; fromS += LONGEST_WINDOW_S) {
        const listed = await changedIn(fromS, Math.min(fromS + LONGEST_WINDOW_S, lastS + 1), call);
        const wanted = listed.filter(({ changedAtMs }) => changedAtMs < untilMs);
        if (wanted.length > 0) yield wanted;
      }
    },
    order: (id, call) =>
      withFreshCredentials(credentials, async (keys): Promise<Fetched | undefined> => {
        const list = z.object({ order_list: z.array(z.unknown()) });
        const found = await ask('order/get_order_detail', { order_sn_list: id }, list, keys, call);
        const [told] = found?.order_list ?? [];
        if (told === undefined) return undefined;
        const wire = MpOrder.safeParse(told);
        if (!wire.success) return { kind: 'unreadable', reason: firstProblem(wire.error) };
        // "A,B" asks for two.
        if (wire.data.order_sn !== id) return undefined;
        const income =
          wire.data.order_status === 'COMPLETED'
            ? await ask(
                'payment/get_escrow_detail',
                { order_sn: id },
                z.object({ order_income: MpIncome }),
                keys,
                call,
              )
            : undefined;
        return normalise(wire.data, income?.order_income, { connection, settings });
      }),
  };
  return reads;
};

const normalise = (
  wire: MpOrder,
  income: MpIncome | undefined,
  context: Parameters<typeof toOrder>[2],
): Fetched => {
  try {
    const { value, warnings } = toOrder(wire, income, context);
    const order = OrderChangedV1.safeParse(value);
    if (!order.success) return { kind: 'unreadable', reason: firstProblem(order.error) };
    return { kind: 'order', order: order.data, warnings };
  } catch (failure) {
    if (!(failure instanceof UnreadableOrder)) throw failure;
    return { kind: 'unreadable', reason: failure.message };
  }
};
