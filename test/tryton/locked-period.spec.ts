import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { anOrder } from '../fakes/orders.ts';
import { connectTo } from '../unit/tryton/harness.ts';
import { date, TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';
import { type RunningTryton, startTryton } from './server.ts';

/** A Tryton of its own, because what is booked in a later period keeps earlier numbers from being given. */
let tryton: RunningTryton;
let rpc: TrytonRpc;
let period: number;
let journal: number;
let today: string;
let lastOrder = 0;

beforeAll(async () => {
  tryton = await startTryton(undefined, inject('tryton').backup);
  rpc = new TrytonRpc(tryton.url, tryton.database);
  await rpc.login(tryton.admin.login, tryton.admin.password);
  today = iso((await rpc.model('ir.date', 'today', [])) as TrytonDay);
  period = await rpc.one('account.period', [
    ['start_date', '<=', date(today)],
    ['end_date', '>=', date(today)],
  ]);
  journal = await rpc.one('account.journal', [['type', '=', 'revenue']]);
  // A company keeps more than one year open.
  const next = String(Number(today.slice(0, 4)) + 1);
  const [year] = await rpc.read<{ post_move_sequence: number }>(
    'account.fiscalyear',
    [await rpc.one('account.fiscalyear', [])],
    ['post_move_sequence', 'invoice_sequences'],
  );
  expect(year).toBeDefined();
  const type = await rpc.one('ir.sequence.type', [['name', '=', 'Invoice']]);
  const strict = (prefix: string) =>
    rpc.create('ir.sequence.strict', { name: prefix, sequence_type: type, company: 1, prefix });
  const fiscalYear = await rpc.create('account.fiscalyear', {
    name: next,
    start_date: date(`${next}-01-01`),
    end_date: date(`${next}-12-31`),
    company: 1,
    post_move_sequence: await rpc.create('ir.sequence', {
      name: 'Moves of next year',
      sequence_type: await rpc.one('ir.sequence.type', [['name', '=', 'Account Move']]),
      company: 1,
    }),
    invoice_sequences: [
      [
        'create',
        [
          {
            company: 1,
            out_invoice_sequence: await strict('NI-'),
            out_credit_note_sequence: await strict('NC-'),
            in_invoice_sequence: await strict('NS-'),
            in_credit_note_sequence: await strict('NX-'),
          },
        ],
      ],
    ],
  });
  await rpc.model('account.fiscalyear', 'create_period', [[fiscalYear]]);
});
afterAll(() => tryton?.stop());

interface TrytonDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}
const iso = ({ year, month, day }: TrytonDay): string =>
  new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
const firstOfNextMonth = (): string => {
  const [year = 0, month = 0] = today.split('-').map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
};

const connected = (lockedPeriod: 'park' | 'first-open-day') =>
  connectTo({
    url: tryton.url,
    database: tryton.database,
    secrets: [{ login: SEED.login, password: SEED.password }],
    route: { lockedPeriod },
  });
const placed = (): OrderChangedV1 => {
  lastOrder += 1;
  const id = `locked-${lastOrder}`;
  const buyer = { id, email: `${id}@example.test`, name: '王小明', masked: false };
  return anOrder({ source: 'e2e', orderId: id, orderNumber: id, buyer });
};
const refund = { id: '7', total: { minor: 1000, currency: 'TWD' } };
interface Invoice {
  readonly state: string;
  readonly number: string | null;
  readonly invoice_date: TrytonDay | null;
  readonly accounting_date: TrytonDay | null;
  readonly 'move.': { readonly date: TrytonDay; readonly state: string } | null;
}
/** The credit notes of an order, read by Tryton's own means. */
const creditNotes = async ({ orderId }: OrderChangedV1): Promise<Invoice[]> => {
  const [back] = await rpc.search('sale.sale', [['reference', '=', `e2e:${orderId}/refund/7`]]);
  const [sale] = await rpc.read<{ invoices: number[] }>('sale.sale', back ? [back] : [], ['invoices']);
  return rpc.read<Invoice>('account.invoice', sale?.invoices ?? [], [
    'state',
    'number',
    'invoice_date',
    'accounting_date',
    'move.date',
    'move.state',
  ]);
};

it('a refund in a closed period is parked with the day and the first that is open; opened, it is booked once', async () => {
  const shop = connected('park');
  const order = placed();
  const { document } = await shop.push(order);
  await rpc.model('account.period', 'close', [[period]]);
  try {
    await expect(shop.giveBack(order, document.id, refund)).rejects.toMatchObject({
      code: 'PERIOD_LOCKED',
      params: { what: 'credit-note', day: today, openFrom: firstOfNextMonth(), destination: 'acme-tryton' },
    });
    expect(await creditNotes(order)).toMatchObject([{ state: 'draft', number: null, accounting_date: null }]);
  } finally {
    await rpc.model('account.period', 'reopen', [[period]]);
  }
  const given = await shop.giveBack(order, document.id, refund);
  expect(given.completed.warnings).toEqual([]);
  const [note, ...others] = await creditNotes(order);
  expect(others).toEqual([]);
  expect(note).toMatchObject({ state: 'posted', accounting_date: null, 'move.': { state: 'posted' } });
  expect(iso(note?.['move.']?.date as TrytonDay)).toBe(today);
});

it.each([
  ['the period is closed', () => rpc.model('account.period', 'close', [[period]])],
  [
    'its journal is closed in that period',
    async () => {
      await rpc.model('account.period', 'reopen', [[period]]);
      const rows = await rpc.search('account.journal.period', [
        ['journal', '=', journal],
        ['period', '=', period],
      ]);
      await rpc.model('account.journal.period', 'close', [rows]);
    },
  ],
])('a refund when %s is booked on the first open day, where the route says so', async (_case, close) => {
  const shop = connected('first-open-day');
  const order = placed();
  const { document } = await shop.push(order);
  await close();
  const given = await shop.giveBack(order, document.id, refund);
  expect(given.completed.warnings).toEqual([
    `The credit note of ${given.completed.name}, dated ${today}, is booked on ${firstOfNextMonth()}: the books were closed for its own day.`,
  ]);
  const [note, ...others] = await creditNotes(order);
  expect(others).toEqual([]);
  expect(note).toMatchObject({ state: 'posted', 'move.': { state: 'posted' } });
  expect(iso(note?.invoice_date as TrytonDay)).toBe(today);
  expect(iso(note?.['move.']?.date as TrytonDay)).toBe(firstOfNextMonth());
  // Told twice, given once.
  expect((await shop.giveBack(order, document.id, refund)).document.id).toBe(given.document.id);
  expect(await creditNotes(order)).toHaveLength(1);
});

it('no day is open any more: parked, whatever the route says', async () => {
  const shop = connected('first-open-day');
  const order = placed();
  const { document } = await shop.push(order);
  const open = await rpc.search('account.period', [['state', '=', 'open']]);
  await rpc.model('account.period', 'close', [open]);
  const refused = shop.giveBack(order, document.id, refund);
  await expect(refused).rejects.toMatchObject({
    code: 'PERIOD_LOCKED',
    params: { day: today, openFrom: undefined },
  });
  expect(await creditNotes(order)).toMatchObject([{ state: 'draft' }]);
});
