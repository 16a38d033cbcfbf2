import { beforeEach, describe, expect, it } from 'vitest';
import { Journeys } from '../../../infra/cli/journeys.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';

const route = (from: string, to: string, mode = 'live') =>
  OrderRoute.parse({ from, to, mode, startAt: '2026-01-01T00:00:00Z' });

/** `shop` sells into two ERPs, `market` into one; a third route is switched off. */
const ORDERS = [
  route('shop', 'odoo'),
  route('market', 'odoo'),
  route('shop', 'tryton'),
  route('shop', 'old-erp', 'off'),
];

let told: string[];
let journeys: Journeys;
let seconds: number;
beforeEach(() => {
  told = [];
  seconds = 0;
  journeys = new Journeys((line) => told.push(line), { orders: ORDERS });
});

const ABOUT = { source: 'shop', correlationId: 'shop:1', orderId: '1', orderNumber: '1001' };
const take = (line: Record<string, unknown>) => {
  seconds += 1;
  const at = new Date(Date.UTC(2026, 10, 23, 12, 0, seconds)).toISOString();
  journeys.take(JSON.stringify({ at, ...ABOUT, ...line }));
};
const accepted = (over = {}) =>
  take({ what: 'ingest-webhook', connection: 'shop', outcome: 'accepted', ...over });
const fetched = (outcome = 'fetched') => take({ what: 'fetch-orders', connection: 'shop', outcome });
const consumed = (connection: string, outcome: string, over = {}) =>
  take({ what: 'consume-orders', connection, outcome, ...over });
const written = (connection: string, documentId: string) =>
  consumed(connection, 'written', {
    documentId,
    documentName: `S0000${documentId}`,
    ageMs: 900,
    totalMs: 100,
  });
const at = (erp: string) => journeys.all().find((journey) => journey.erp === erp);
const SHOP_ORDER = { storefront: 'shop', orderId: '1' };

describe('an order of a shop that is routed to two ERPs', () => {
  it('is under way until it has ended at both', () => {
    accepted();
    expect(journeys.inFlight()).toBe(2);
    written('odoo', '7');
    expect(journeys.inFlight()).toBe(1);
    expect(journeys.settledOrders()).toBe(0);
    written('tryton', '9');
    expect(journeys.inFlight()).toBe(0);
    expect(journeys.settledOrders()).toBe(1);
  });

  it('makes two journeys, each with its own document and the webhook it came by', () => {
    accepted();
    written('odoo', '7');
    consumed('tryton', 'parked', { code: 'UNKNOWN_SKU', reason: 'no product' });
    expect(at('odoo')).toMatchObject({ ...SHOP_ORDER, erpOrderId: '7', webhookToErpMs: 1000 });
    expect(at('odoo')?.parked).toBeUndefined();
    expect(at('tryton')).toMatchObject({ ...SHOP_ORDER, orderNumber: '1001', parked: 'UNKNOWN_SKU' });
    expect(at('tryton')?.erpOrderId).toBeUndefined();
    for (const journey of journeys.all())
      expect(journey.events.map(({ what }) => what)).toEqual(['received', expect.any(String)]);
  });

  it('is not taken for that of another shop with the same id', () => {
    accepted();
    accepted({ connection: 'market', source: 'market', correlationId: 'market:1' });
    expect(journeys.inFlight()).toBe(3);
    consumed('odoo', 'written', { source: 'market', correlationId: 'market:1', documentId: '8' });
    expect(journeys.inFlight()).toBe(2);
    expect(journeys.isSettled({ ...SHOP_ORDER, erp: 'odoo' })).toBe(false);
    expect(journeys.isSettled({ storefront: 'market', orderId: '1', erp: 'odoo' })).toBe(true);
  });

  it('comes back to both when one of them has the shop asked', () => {
    accepted();
    written('tryton', '9');
    consumed('odoo', 'skipped', { code: 'FETCHING_AGAIN' });
    // The reading.
    expect(journeys.inFlight()).toBe(1);
    fetched();
    expect(journeys.inFlight()).toBe(2);
    written('odoo', '7');
    consumed('tryton', 'skipped', { code: 'ALREADY_DONE', documentId: '9' });
    expect(journeys.inFlight()).toBe(0);
  });

  it.each(['skipped', 'parked'])('ends with a reading that was %s', (outcome) => {
    take({ what: 'ingest-webhook', connection: 'shop', outcome: 'notified' });
    expect(journeys.inFlight()).toBe(1);
    fetched(outcome);
    expect(journeys.inFlight()).toBe(0);
  });

  it('comes back when its payment was read, wherever the order is due', () => {
    const payment = { connection: 'stripe', source: 'stripe', correlationId: 'stripe:pi_1' };
    take({ what: 'ingest-webhook', ...payment, outcome: 'notified' });
    take({ what: 'fetch-payments', ...payment, outcome: 'retry', code: 'NOT_RECORDED' });
    expect(journeys.inFlight()).toBe(1);
    take({ what: 'fetch-payments', connection: 'stripe', outcome: 'told' });
    take({ what: 'fetch-payments', ...payment, outcome: 'fetched' });
    expect(journeys.inFlight()).toBe(2);
    consumed('odoo', 'changed', { documentId: '7' });
    consumed('tryton', 'skipped', { code: 'ALREADY_DONE', documentId: '9' });
    expect(journeys.inFlight()).toBe(0);
  });

  it('is there when an attempt that was cut off left only something to change', () => {
    accepted();
    consumed('odoo', 'retry', { code: 'CUT_OFF' });
    consumed('odoo', 'changed', { documentId: '7' });
    expect(journeys.isSettled({ ...SHOP_ORDER, erp: 'odoo' })).toBe(true);
  });
});

describe('lines of several processes', () => {
  it('may overtake each other', () => {
    written('odoo', '7');
    written('tryton', '9');
    // What has ended before it began ends nothing else.
    expect(journeys.inFlight()).toBe(0);
    accepted({ correlationId: 'shop:2', orderId: '2' });
    expect(journeys.inFlight()).toBe(2);
    accepted();
    expect(journeys.inFlight()).toBe(2);
  });

  it.each(['confirmed', 'changed', 'skipped', 'shadow', 'parked'])(
    'of an attempt that ended %s end the event',
    (outcome) => {
      accepted();
      consumed('odoo', outcome);
      expect(journeys.inFlight()).toBe(1);
    },
  );

  it.each(['busy', 'retry'])('of an attempt that ended %s end nothing', (outcome) => {
    accepted();
    consumed('odoo', outcome);
    expect(journeys.inFlight()).toBe(2);
  });
});

describe('an order that an ERP shall not have', () => {
  it('says why, until it is written after all', () => {
    consumed('odoo', 'skipped', { code: 'NOT_ACCEPTED_YET' });
    expect(at('odoo')).toMatchObject({ ignored: 'NOT_ACCEPTED_YET' });
    expect(journeys.isSettled({ ...SHOP_ORDER, erp: 'odoo' })).toBe(false);
    consumed('odoo', 'skipped', { code: 'FETCHING_AGAIN' });
    expect(at('odoo')).toMatchObject({ ignored: 'NOT_ACCEPTED_YET' });
    written('odoo', '7');
    expect(at('odoo')?.ignored).toBeUndefined();
  });
});

describe('what is told', () => {
  it('is one line for each step: when, where, which order, what', () => {
    accepted({ totalMs: 12 });
    written('odoo', '7');
    expect(told.map(plain)).toEqual([
      '12:00:01.000  shop                               1001   verified, normalised, on the bus (12 ms)',
      '12:00:02.000  shop → odoo                        1001   written as S00007, confirmed, after 1.00 s',
    ]);
  });

  it('leaves out what a repeated delivery is expected to lead to, and nothing else', () => {
    journeys.expectRepeats();
    accepted();
    consumed('odoo', 'skipped', { code: 'ALREADY_DONE', reason: 'already in the ERP as S00007' });
    expect(told).toEqual([]);
    consumed('odoo', 'parked', { code: 'TOTAL_MISMATCH', reason: 'one cent', remedy: 'look' });
    written('tryton', '9');
    expect(told.map(plain)).toEqual([
      '12:00:03.000  shop → odoo                        1001   parked, TOTAL_MISMATCH: one cent',
      '              what to do: look',
      '12:00:04.000  shop → tryton                      1001   written as S00009, confirmed, after 1.00 s',
    ]);
    expect(journeys.deliveries()).toBe(1);
  });

  it('says once what several copies of an order carry', () => {
    for (let copy = 0; copy < 3; copy += 1) accepted({ warnings: ['a gift card paid part of it'] });
    accepted({ correlationId: 'shop:2', warnings: ['a gift card paid part of it'] });
    expect(told.filter((line) => line.includes('note: a gift card'))).toHaveLength(2);
  });

  it('passes on what is none of our lines, without metrics', () => {
    journeys.take('Error: something');
    journeys.take('{"_aws":{}}');
    journeys.take('{"at" broken');
    expect(told.map(plain)).toEqual(['Error: something', '{"at" broken']);
  });
});

describe('until', () => {
  it('holds as soon as a line makes the condition true, and gives up in time', async () => {
    const isOver = journeys.until(() => journeys.settledOrders() === 1, 5_000);
    written('odoo', '7');
    written('tryton', '9');
    expect(await isOver).toBe(true);
    expect(await journeys.until(() => false, 1)).toBe(false);
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const plain = (line: string): string => line.replace(/\u001b\[\d+m/g, '');
