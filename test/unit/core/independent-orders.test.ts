import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const SHOPS = ['acme-woo', 'acme-store'];

/** Two ERPs of one installation: each has its own documents; ledger and journal are the same tables. */
const installation = () => {
  const odoo = orderDesk({ destination: 'acme-odoo', sources: SHOPS });
  const tryton = orderDesk({ destination: 'acme-tryton', sources: SHOPS });
  const { ledger, journal } = odoo.ports;
  const push = (order: OrderChangedV1) =>
    Promise.all([odoo.push(order), tryton.push(order, { ledger, journal })]);
  return { odoo, tryton, push };
};
const REFERENCES = ['acme-woo:1001', 'acme-store:1001'];

describe('two shops with the same order number, one shop routed to two ERPs', () => {
  it('make four independent orders', async () => {
    const { odoo, tryton, push } = installation();
    for (const source of SHOPS) {
      expect(await push(anOrder({ source }))).toMatchObject([
        { kind: 'written', attempt: 1 },
        { kind: 'written', attempt: 1 },
      ]);
    }
    expect(odoo.orders.map(({ reference }) => reference)).toEqual(REFERENCES);
    expect(tryton.orders.map(({ reference }) => reference)).toEqual(REFERENCES);
    expect([...odoo.entries.keys()]).toEqual([
      'acme-odoo#acme-woo#1001#create',
      'acme-tryton#acme-woo#1001#create',
      'acme-odoo#acme-store#1001#create',
      'acme-tryton#acme-store#1001#create',
    ]);
  });

  it('are known again, each at its own document', async () => {
    const { odoo, tryton, push } = installation();
    for (const source of SHOPS) await push(anOrder({ source }));
    for (const [index, source] of SHOPS.entries()) {
      const document = { id: String(index + 1) };
      expect(await push(anOrder({ source }))).toMatchObject([
        { kind: 'skipped', reason: 'ALREADY_DONE', document },
        { kind: 'skipped', reason: 'ALREADY_DONE', document },
      ]);
    }
    expect([odoo.orders.length, tryton.orders.length]).toEqual([2, 2]);
  });

  it('fail each for itself', async () => {
    const { odoo, tryton, push } = installation();
    tryton.fails.resolve = () => {
      throw new PermanentError('MISSING_SKU', { line: { kind: 'line', number: 1, title: 'Tea' } });
    };
    await expect(push(anOrder({ source: 'acme-woo' }))).rejects.toMatchObject({ code: 'MISSING_SKU' });
    delete tryton.fails.resolve;
    await push(anOrder({ source: 'acme-store' }));
    expect(odoo.orders.map(({ reference }) => reference)).toEqual(REFERENCES);
    expect(tryton.orders.map(({ reference }) => reference)).toEqual(['acme-store:1001']);
    expect(odoo.journal('acme-woo').state).toBe('done');
    expect(odoo.rows.get('acme-tryton#acme-woo#1001')?.state).toBe('parked');
  });
});
