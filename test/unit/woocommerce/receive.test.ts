import { describe, expect, it } from 'vitest';
import { woocommerce } from '../../../shared/connectors/woocommerce/index.ts';
import { capture, captureNames, changed, receive, SECRET, sign, signed } from './deliveries.ts';

const ORDER = '036-order-created-paid-thai-guest-coupon-fee--order-created';
const orderBody = capture(ORDER).body;
const replay = (name: string, keys: { consumerKey?: string; consumerSecret?: string } = {}) => {
  const { secret, headers, body } = capture(name);
  return receive({ method: 'POST', headers, body: new TextEncoder().encode(body) }, [secret], {}, keys);
};
const outcome = (received: ReturnType<typeof receive>) =>
  received.kind === 'order'
    ? `order ${received.order.orderId} ${received.order.status} ${received.order.payment.state}`
    : `${received.kind}${'reason' in received ? ` ${received.reason}` : ''}`;

describe('captured deliveries', () => {
  const expected: Readonly<Record<string, string>> = {
    '001-webhook-registered-ping--ping': 'ping',
    '013-product-created-simple-chinese--product-created': 'ignored TOPIC_PRODUCT',
    '014-product-created-simple-thai-on-sale--product-created': 'ignored TOPIC_PRODUCT',
    '015-product-created-without-sku--product-created': 'ignored TOPIC_PRODUCT',
    '016-product-variable-with-variations--product-created': 'ignored TOPIC_PRODUCT',
    '017-product-variable-with-variations--product-created': 'ignored TOPIC_PRODUCT',
    '019-product-created-virtual--product-created': 'ignored TOPIC_PRODUCT',
    '020-coupons-created--coupon-created': 'ignored TOPIC_COUPON',
    '022-customer-created-chinese--customer-created': 'ignored TOPIC_CUSTOMER',
    '023-customer-created-chinese--customer-updated': 'ignored TOPIC_CUSTOMER',
    '024-customer-updated--customer-updated': 'ignored TOPIC_CUSTOMER',
    '025-order-created-pending-tax-shipping-chinese--order-created': 'order 19 pending pending',
    '026-order-created-pending-tax-shipping-chinese--order-updated': 'order 19 pending pending',
    '027-order-updated-processing--order-updated': 'order 19 open pending',
    '028-order-updated-processing--product-updated': 'ignored TOPIC_PRODUCT',
    '030-order-updated-completed--order-updated': 'order 19 completed paid',
    '031-order-updated-completed--customer-updated': 'ignored TOPIC_CUSTOMER',
    '032-order-refund-partial-line--product-updated': 'ignored TOPIC_PRODUCT',
    '033-order-refund-partial-line--order-updated': 'order 19 completed partially-refunded',
    '034-order-refund-partial-amount-only--order-updated': 'order 19 completed partially-refunded',
    '035-order-refund-remaining-to-full--order-updated': 'order 19 refunded refunded',
    '036-order-created-paid-thai-guest-coupon-fee--order-created': 'order 23 open paid',
    '037-order-created-paid-thai-guest-coupon-fee--order-updated': 'order 23 open paid',
    '039-order-updated-cancelled--order-updated': 'order 23 cancelled paid',
    '041-order-created-variable-product-meta--order-created': 'order 24 completed paid',
    '042-order-created-variable-product-meta--order-updated': 'order 24 completed paid',
    '045-order-created-two-coupons-and-no-sku-line--order-created': 'order 25 completed paid',
    '046-order-created-two-coupons-and-no-sku-line--order-updated': 'order 25 completed paid',
    '048-order-created-negative-fee--order-created': 'order 26 completed paid',
    '055-order-edit-0-created--order-created': 'order 28 pending pending',
    '056-order-edit-0-created--order-updated': 'order 28 pending pending',
    '057-order-edit-1-lines-changed-removed-added--order-updated': 'order 28 pending pending',
    '061-order-created-us-compound-tax--order-created': 'order 30 completed paid',
    '065-order-created-currency-usd-in-twd-store--order-created': 'order 31 completed paid',
    '066-order-created-currency-usd-in-twd-store--order-updated': 'order 31 completed paid',
    '068-order-delete-0-created--order-created': 'order 32 pending pending',
    '070-order-delete-1-trashed--order-deleted': 'ignored ORDER_DELETED_WITHOUT_CONTENT',
    '076-product-updated-stock-and-price--product-updated': 'ignored TOPIC_PRODUCT',
    '077-product-updated-sku-renamed--product-updated': 'ignored TOPIC_PRODUCT',
    '079-variation-updated-stock-zero--product-updated': 'ignored TOPIC_PRODUCT',
    '081-product-trashed--product-deleted': 'ignored TOPIC_PRODUCT',
    '083-guest-checkout-draft-cod--order-updated': 'ignored STATUS_CHECKOUT_DRAFT',
    '084-guest-checkout-store-api-cod--order-updated': 'ignored STATUS_CHECKOUT_DRAFT',
    '087-guest-checkout-store-api-bacs-on-hold--order-created': 'order 37 on-hold pending',
    '089-order-created-prices-include-tax-coupon--order-created': 'order 38 completed paid',
    '090-order-created-prices-include-tax-coupon--order-updated': 'order 38 completed paid',
    '093-order-created-jpy-0-decimals--order-created': 'order 39 completed paid',
    '094-order-created-jpy-0-decimals--order-updated': 'order 39 completed paid',
    '097-order-refund-jpy-0-decimals--order-updated': 'order 39 completed partially-refunded',
    '108-order-created-twd-0-decimals-fractional-price--order-created': 'order 44 completed paid',
    '111-order-burst-created-then-4-status-changes-before-delivery--order-created': 'order 45 completed paid',
    '112-order-burst-created-then-4-status-changes-before-delivery--order-updated': 'order 45 completed paid',
    '122-customer-deleted--customer-deleted': 'ignored TOPIC_CUSTOMER',
    '123-products-batch--product-updated': 'ignored TOPIC_PRODUCT',
    '132-receiver-500-delivery-1--order-created': 'order 52 pending pending',
  };

  it.each(captureNames)('%s', (name) => expect(outcome(replay(name))).toBe(expected[name]));
  it('are all in the table', () => expect(captureNames).toHaveLength(Object.keys(expected).length));

  it('carry no warnings', () => {
    const warnings = captureNames
      .map((name) => replay(name))
      .flatMap((r) => (r.kind === 'order' ? r.warnings : []));
    // Four of them were refunded, and nobody may ask what for.
    const warning = 'refunds: what they are for is known only with a REST key: taken as sums';
    expect(warnings).toEqual([warning, warning, warning, warning]);
  });

  it('are only heard of where the shop can be asked what refunds are for', () => {
    const keys = { consumerKey: 'ck_1', consumerSecret: 'cs_1' };
    const told = captureNames.flatMap((name) => {
      const received = replay(name, keys);
      return received.kind === 'notified' ? [`${name.slice(0, 3)} ${received.orderId}`] : [];
    });
    expect(told).toEqual(['033 19', '034 19', '035 19', '097 39']);
    const [refunded] = captureNames.filter((name) => name.startsWith('033'));
    expect(replay(refunded ?? '', { consumerKey: 'ck_1' }).kind).toBe('order');
    expect(replay(refunded ?? '', keys)).toHaveProperty('deliveryId');
  });

  it('carry the delivery id', () => {
    expect(replay(ORDER)).toMatchObject({ deliveryId: '2c9725e78e0ff9c257da440780140e21' });
    expect(replay('081-product-trashed--product-deleted')).toHaveProperty('deliveryId');
  });

  it.each(captureNames.filter((name) => !name.startsWith('001')))(
    '%s: refused with another secret',
    (name) => {
      const { headers, body } = capture(name);
      const delivery = { method: 'POST', headers, body: new TextEncoder().encode(body) };
      expect(receive(delivery, ['another-secret-0123'])).toEqual({
        kind: 'rejected',
        reason: 'SIGNATURE_WRONG',
      });
    },
  );

  it.each(captureNames.filter((name) => !name.startsWith('001')))(
    '%s: refused when serialised again',
    (name) => {
      const { headers, body, secret } = capture(name);
      const again = JSON.stringify(JSON.parse(body));
      const delivery = { method: 'POST', headers, body: new TextEncoder().encode(`${again} `) };
      expect(receive(delivery, [secret])).toEqual({ kind: 'rejected', reason: 'SIGNATURE_WRONG' });
    },
  );
});

it('every reply counts as success for WooCommerce, the ping is answered with exactly 200', () => {
  expect(woocommerce.replies).toEqual({ accepted: 200, ping: 200, ignored: 200, quarantined: 200 });
});

it('a draft need not be whole to be none of ours', () => {
  expect(receive(signed('{"id":19,"status":"wc-checkout-draft"}'))).toMatchObject({
    kind: 'ignored',
    reason: 'STATUS_CHECKOUT_DRAFT',
  });
});

describe('ping', () => {
  const ping = (body: string, headers: Record<string, string> = {}) =>
    receive({ method: 'POST', headers, body: new TextEncoder().encode(body) });

  it('is a form with nothing but the webhook id', () => {
    expect(ping('webhook_id=17')).toEqual({ kind: 'ping' });
    expect(ping('webhook_id=17', { 'content-type': 'application/x-www-form-urlencoded', host: 'x' })).toEqual(
      {
        kind: 'ping',
      },
    );
  });

  it.each([
    ['topic of an order', 'webhook_id=17', { 'x-wc-webhook-topic': 'order.created' }],
    ['any other header of a delivery', 'webhook_id=17', { 'x-wc-webhook-id': '17' }],
    ['empty signature', 'webhook_id=17', { 'x-wc-webhook-signature': '' }],
    ['more in the form', 'webhook_id=17&status=active', {}],
    ['no number', 'webhook_id=abc', {}],
    ['empty body', '', {}],
    ['an order', orderBody, {}],
  ])('is not: %s', (_name, body, headers) => {
    expect(ping(body, headers)).toEqual({ kind: 'rejected', reason: 'SIGNATURE_MISSING' });
  });

  it('does not need a secret, everything else does', () => {
    const body = new TextEncoder().encode('webhook_id=1');
    expect(receive({ method: 'POST', headers: {}, body }, [])).toEqual({ kind: 'ping' });
    expect(() => receive(signed(orderBody), [])).toThrow(RangeError);
    expect(() => receive(signed(orderBody, {}, ''), [''])).toThrow(RangeError);
  });
});

describe('signature', () => {
  it.each([
    ['missing', undefined, 'SIGNATURE_MISSING'],
    ['empty', '', 'SIGNATURE_MISSING'],
    ['hexadecimal', Buffer.from(sign(orderBody), 'base64').toString('hex'), 'SIGNATURE_MALFORMED'],
    ['cut', sign(orderBody).slice(0, 20), 'SIGNATURE_MALFORMED'],
    ['of another body', sign(`${orderBody} `), 'SIGNATURE_WRONG'],
  ])('%s', (_name, signature, reason) => {
    expect(receive(signed(orderBody, { 'x-wc-webhook-signature': signature }))).toEqual({
      kind: 'rejected',
      reason,
    });
  });

  it('two secrets during a rotation', () => {
    for (const secrets of [
      [SECRET, 'the-new-secret-0123'],
      ['the-new-secret-0123', SECRET],
    ]) {
      expect(receive(signed(orderBody), secrets).kind).toBe('order');
    }
    expect(receive(signed(orderBody), ['the-new-secret-0123'])).toMatchObject({ reason: 'SIGNATURE_WRONG' });
  });

  it.each([
    ['entity, stored as typed', 'wc_secret_Tes7&amp;Key', 'wc_secret_Tes7&Key'],
    ['entity, already decoded by hand', 'wc_secret_Tes7&Key', 'wc_secret_Tes7&Key'],
    ['entity twice in the shop, copied as it signs', 'wc_secret_Tes7&amp;Key', 'wc_secret_Tes7&amp;Key'],
    ['apostrophe, with leading zeros', 'wc_secret_Tes7&#0039;Key', "wc_secret_Tes7'Key"],
    ['quotes and angles', 'wc_&quot;secret&quot;_&lt;Tes7&gt;', 'wc_"secret"_<Tes7>'],
    ['decoded once only', 'wc_secret_Tes7&amp;amp;Key', 'wc_secret_Tes7&amp;Key'],
    ['an entity that WordPress leaves alone', 'wc_secret_Tes7&hellip;Key', 'wc_secret_Tes7&hellip;Key'],
    ['beyond ASCII', '密鑰-密鑰-密鑰-密鑰-密鑰-&amp;', '密鑰-密鑰-密鑰-密鑰-密鑰-&'],
  ])('secret: %s', (_name, configured, signsWith) => {
    expect(receive(signed(orderBody, {}, signsWith), [configured]).kind).toBe('order');
    expect(receive(signed(orderBody, {}, `${signsWith}x`), [configured]).kind).toBe('rejected');
  });

  it('the vector of the WooCommerce rule: stored with entity, signed without', () => {
    const delivery = signed('{"id":727,"status":"processing","total":"29.35"}', {
      'x-wc-webhook-signature': 'qukHsEQuku4E2BydLKGLGWqsM1BUcFD+fWn/h7fpVZ4=',
    });
    expect(receive(delivery, ['wc_secret_Tes7&amp;Key'])).toMatchObject({
      kind: 'unreadable',
      reason: 'currency: missing',
    });
    expect(receive(delivery, ['wc_secret_Tes7&Kez_'])).toMatchObject({ kind: 'rejected' });
  });

  it('is checked before anything is read', () => {
    expect(receive(signed('no json', { 'x-wc-webhook-signature': sign('other') })).kind).toBe('rejected');
    expect(
      receive(signed('{}', { 'x-wc-webhook-topic': 'product.updated', 'x-wc-webhook-signature': sign('x') }))
        .kind,
    ).toBe('rejected');
  });
});

describe('topics', () => {
  it.each([
    ['order.created', 'order 23 open paid'],
    ['order.updated', 'order 23 open paid'],
    ['order.restored', 'order 23 open paid'],
    ['Order.Updated', 'order 23 open paid'],
    ['order.deleted', 'ignored ORDER_DELETED_WITHOUT_CONTENT'],
    ['product.updated', 'ignored TOPIC_PRODUCT'],
    ['customer.created', 'ignored TOPIC_CUSTOMER'],
    ['coupon.deleted', 'ignored TOPIC_COUPON'],
    ['action.woocommerce_order_status_processing', 'ignored TOPIC_ACTION'],
    ['subscription.updated', 'ignored TOPIC_OTHER'],
  ])('%s', (topic, expected) => {
    const resource = topic.split('.')[0];
    const headers = { 'x-wc-webhook-topic': topic, 'x-wc-webhook-resource': resource };
    expect(outcome(receive(signed(orderBody, headers)))).toBe(expected);
  });

  const without = { 'x-wc-webhook-topic': undefined, 'x-wc-webhook-event': undefined };
  it.each([
    [
      'no header at all, body of an order',
      orderBody,
      { ...without, 'x-wc-webhook-resource': undefined },
      'order 23 open paid',
    ],
    ['only the resource', orderBody, without, 'order 23 open paid'],
    [
      'only the resource of a product',
      '{"id":1}',
      { ...without, 'x-wc-webhook-resource': 'product' },
      'ignored TOPIC_PRODUCT',
    ],
    [
      'resource and event of a deletion',
      '{"id":32}',
      { 'x-wc-webhook-topic': undefined, 'x-wc-webhook-event': 'deleted' },
      'ignored ORDER_DELETED_WITHOUT_CONTENT',
    ],
    [
      'no header, only an id',
      '{"id":32}',
      { ...without, 'x-wc-webhook-resource': undefined },
      'unreadable status: missing',
    ],
    [
      'action with its body',
      '{"action":"woocommerce_x","arg":12}',
      { 'x-wc-webhook-topic': 'action.woocommerce_x' },
      'ignored TOPIC_ACTION',
    ],
  ])('%s', (_name, body, headers, expected) =>
    expect(outcome(receive(signed(body, headers)))).toBe(expected),
  );
});

describe('no order yet, or none of its own', () => {
  it.each([
    ['checkout-draft', 'ignored STATUS_CHECKOUT_DRAFT'],
    ['wc-checkout-draft', 'ignored STATUS_CHECKOUT_DRAFT'],
    ['auto-draft', 'ignored STATUS_AUTO_DRAFT'],
    ['draft', 'ignored STATUS_DRAFT'],
    ['trash', 'ignored STATUS_TRASH'],
  ])('status %s', (status, expected) => {
    expect(outcome(receive(changed(ORDER, (order) => Object.assign(order, { status }))))).toBe(expected);
  });

  it.each([
    ['type says so', { type: 'shop_order_refund', total: '-10.00' }],
    ['a parent and a negative total', { parent_id: 19, total: '-10.00' }],
  ])('refund: %s', (_name, fields) => {
    const delivery = changed(ORDER, (order) => Object.assign(order, fields));
    expect(outcome(receive(delivery))).toBe('ignored REFUND_WITHOUT_ORDER');
  });

  it('refund as the REST API shows it', () => {
    const body = '{"id":20,"amount":"441.00","reason":"x","refunded_by":1,"line_items":[]}';
    expect(outcome(receive(signed(body)))).toBe('ignored REFUND_WITHOUT_ORDER');
  });
});

describe('authentic, but not understood: quarantined with the place, and nothing personal', () => {
  it.each([
    ['no JSON', 'Fatal error: Uncaught', 'body: is no JSON'],
    ['HTML before the JSON', `<br />Notice${orderBody}`, 'body: is no JSON'],
    ['empty', '', 'body: is no JSON'],
    ['cut', orderBody.slice(0, 900), 'body: is no JSON'],
    ['nested too deep', '['.repeat(200_000), 'body: is no JSON'],
    ['a list', '[]', 'body: is no object'],
    ['null', 'null', 'body: is no object'],
    ['a string', '"x"', 'body: is no object'],
    ['an empty object', '{}', 'id: is no id'],
    [
      'an error object',
      '{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}',
      'body: an error instead of an order (woocommerce_rest_cannot_view)',
    ],
    [
      'an error object without data',
      '{"code":"x y","message":"王小明"}',
      'body: an error instead of an order (unknown code)',
    ],
    [
      'the legacy API',
      '{"order":{"id":1,"order_number":"1"}}',
      'body: legacy API payload; set the webhook to "WP REST API Integration v3"',
    ],
  ])('%s', (_name, body, reason) => {
    expect(receive(signed(body))).toEqual({ kind: 'unreadable', reason, deliveryId: 'd-1' });
  });

  it('bytes that are no UTF-8', () => {
    expect(outcome(receive(signed(Uint8Array.from([0x7b, 0xff, 0x7d]))))).toBe(
      'unreadable body: is no UTF-8 text',
    );
  });

  it.each<[string, (order: Record<string, unknown>) => void, string]>([
    ['no id', (o) => delete o['id'], 'id: is no id'],
    ['id 0', (o) => Object.assign(o, { id: 0 }), 'id: is no id'],
    ['no status', (o) => delete o['status'], 'status: missing'],
    ['no currency', (o) => Object.assign(o, { currency: '' }), 'currency: missing'],
    ['unknown currency', (o) => Object.assign(o, { currency: 'XYZ' }), 'currency: is no ISO 4217 currency'],
    [
      'no lines',
      (o) => delete o['line_items'],
      'line_items: Invalid input: expected array, received undefined',
    ],
    [
      'lines as text',
      (o) => Object.assign(o, { line_items: 'none' }),
      'line_items: Invalid input: expected array, received string',
    ],
    ['no total', (o) => Object.assign(o, { total: '' }), 'total: missing'],
    ['total as words', (o) => Object.assign(o, { total: '1.234,50' }), 'total: is no decimal amount'],
    [
      'total too precise',
      (o) => Object.assign(o, { total: '502.005' }),
      'total: "502.005" has more decimals than TWD (2)',
    ],
    [
      'total in JPY with sen',
      (o) => Object.assign(o, { currency: 'JPY', total: '1200.50' }),
      'total: "1200.5" has more decimals than JPY (0)',
    ],
    ['total too large', (o) => Object.assign(o, { total: '1e30' }), 'total: 1e+32 TWD is too large'],
    [
      'quantity as words',
      (o) => Object.assign(lineOf(o), { quantity: 'three' }),
      'line_items[0].quantity: is no number',
    ],
    [
      'line without amounts',
      (o) => Object.assign(lineOf(o), { total: '', subtotal: null }),
      'line_items[0].total: missing',
    ],
    [
      'line total as an object',
      (o) => Object.assign(lineOf(o), { total: {} }),
      'line_items[0].total: is no decimal amount',
    ],
    [
      'refund too precise',
      (o) => Object.assign(o, { refunds: [{ id: 1, total: '-1.005' }] }),
      'refunds[0].total: "-1.005" has more decimals than TWD (2)',
    ],
    [
      'no date',
      (o) => Object.assign(o, { date_created_gmt: null }),
      'date_created_gmt: missing; the local time has no zone, so the moment is not known',
    ],
    [
      'impossible date',
      (o) => Object.assign(o, { date_created_gmt: '2026-13-41T00:00:00' }),
      'date_created_gmt: is no date',
    ],
    [
      'zero date',
      (o) => Object.assign(o, { date_created_gmt: '0000-00-00T00:00:00' }),
      'date_created_gmt: is no date',
    ],
    [
      'only a local change date',
      (o) => Object.assign(o, { date_modified_gmt: '' }),
      'date_modified_gmt: missing; the local time has no zone, so the moment is not known',
    ],
  ])('%s', (_name, change, reason) => {
    expect(receive(changed(ORDER, change))).toEqual({ kind: 'unreadable', reason, deliveryId: 'd-1' });
  });

  it('names nobody, whatever field is broken', () => {
    const order = JSON.parse(orderBody) as Record<string, unknown>;
    const personal = ['สมชาย', 'somchai', 'ถนน', '10110', '555'];
    for (const key of Object.keys(order)) {
      for (const value of [null, '', 'สมชาย ใจดี somchai@example.test', [], {}, -1, true]) {
        const received = receive(changed(ORDER, (o) => Object.assign(o, { [key]: value })));
        const said =
          received.kind === 'order' ? received.warnings.join() : 'reason' in received ? received.reason : '';
        if (key === 'status') continue; // the status is told as it is
        for (const word of personal) expect(said, `${key} = ${String(value)}`).not.toContain(word);
      }
    }
  });
});

const lineOf = (order: Record<string, unknown>): object => {
  const [line] = order['line_items'] as object[];
  return line ?? {};
};
