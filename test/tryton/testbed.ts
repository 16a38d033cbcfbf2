import { type TrytonCredentials, type TrytonSettings, tryton } from '../../shared/connectors/tryton/index.ts';
import type { ErpTestbed } from '../conformance/erp.suite.ts';
import {
  creditNoteOf,
  isWrite,
  MOVE_FIELDS,
  type MoveRow,
  orderOf,
  paymentOf,
  REFUSAL,
  SALE_FIELDS,
  type SaleRow,
} from '../conformance/testbeds/tryton-view.ts';
import { startPeerServer } from '../fakes/peer-server.ts';
import { mappingsOf } from '../unit/tryton/harness.ts';
import type { TrytonAddress } from './global-setup.ts';
import { date } from './rpc.ts';
import { SEED } from './seed.ts';
import { type SyncRpc, syncRpc } from './sync-rpc.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'keep-alive',
]);

/** A real Tryton behind a proxy that loses answers, delays them and makes some up. */
export const proxyTo = (url: string) =>
  startPeerServer((app) => {
    app.post('/*', async (request, reply) => {
      const answer = await fetch(`${url}${request.url}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(request.headers.authorization && { authorization: request.headers.authorization }),
        },
        body: new Uint8Array(request.body as Buffer),
      });
      const headers = [...answer.headers].filter(([name]) => !HOP_BY_HOP.has(name));
      return reply
        .code(answer.status)
        .headers(Object.fromEntries(headers))
        .send(Buffer.from(await answer.arrayBuffer()));
    });
  });

/** The conformance suite's testbed with the Tryton of this run; each test leaves its documents out of sight. */
export const realTestbed = (address: TrytonAddress): ErpTestbed<TrytonSettings, TrytonCredentials> => {
  const rpc = syncRpc(address);
  /** Neither found by reference nor listed by date any more. */
  const hide = (sales: readonly { readonly id: number }[]) => {
    const gone = { reference: null, description: null, sale_date: date('1960-01-01') };
    rpc.call('model.sale.sale.write', [sales.map(({ id }) => id), gone]);
  };
  return {
    title: `${address.version}, a real one`,
    connector: tryton,
    settings: (url) => ({ url, database: address.database }),
    credentials: { login: SEED.login, password: SEED.password },
    changes: true,
    mappings: mappingsOf([
      ['tax', '1', '5%'],
      ['journal', 'stripe', 'Stripe'],
      ['journal', 'gone', 'NOT-THERE'],
    ]),
    start: async () => {
      const proxy = await proxyTo(address.url);
      const last = (model: string) =>
        rpc.rows<{ id: number }>(model, [['active', 'in', [true, false]]], ['id']).at(-1)?.id ?? 0;
      const lastParty = last('party.party');
      const before = rpc.rows<{ id: number }>('sale.sale', [], ['id']);
      // Those of other files, too, whichever ran first.
      hide(before);
      const lastSale = before.at(-1)?.id ?? 0;
      // Listed by date, not by id.
      const lastMove = Math.max(
        0,
        ...rpc.rows<{ id: number }>('account.move', [], ['id']).map(({ id }) => id),
      );
      const ofPayments = [
        ['id', '>', lastMove],
        ['description', 'ilike', '%/payment/%'],
      ];
      const sales = () => rpc.rows<SaleRow>('sale.sale', [['id', '>', lastSale]], SALE_FIELDS);
      const parties = () => rpc.rows<{ id: number }>('party.party', [['id', '>', lastParty]], ['id']);
      return {
        url: proxy.url,
        server: proxy,
        isWrite,
        refusal: REFUSAL,
        orders: () =>
          sales()
            .filter(({ origin }) => !origin)
            .map(orderOf),
        customers: () => parties().length,
        enterByHand: (reference) => {
          const [party] = rpc.call('model.party.party.create', [[{ name: 'By hand' }]]) as number[];
          const [currency] = rpc.rows<{ id: number }>('currency.currency', [['code', '=', 'TWD']], ['code']);
          rpc.call('model.sale.sale.create', [[{ party, currency: currency?.id, reference }]]);
        },
        changes: {
          editByHand: (id) => editByHand(rpc, Number(id)),
          deliver: (id) => {
            const [sale] = rpc.rows<{ shipments: number[] }>(
              'sale.sale',
              [['id', '=', Number(id)]],
              ['shipments'],
            );
            for (const button of ['assign_try', 'pick', 'pack', 'done']) {
              rpc.call(`model.stock.shipment.out.${button}`, [sale?.shipments]);
            }
          },
          closeBooks: () => {
            const open = [['state', '=', 'open']];
            const periods = rpc.rows<{ id: number }>('account.period', open, ['id']).map(({ id }) => id);
            rpc.call('model.account.period.close', [periods]);
            return () => {
              rpc.call('model.account.period.reopen', [periods]);
              // Closed with their period where something was booked in it, and not opened with it (account/period.py).
              const closed = [['state', '=', 'close']];
              const journals = rpc.rows<{ id: number }>('account.journal.period', closed, ['id']);
              rpc.call('model.account.journal.period.reopen', [journals.map(({ id }) => id)]);
            };
          },
          creditNotes: () =>
            sales()
              .filter(({ origin }) => origin)
              .map(creditNoteOf),
        },
        payments: () => rpc.rows<MoveRow>('account.move', ofPayments, MOVE_FIELDS).map(paymentOf),
        stop: async () => {
          hide(sales());
          rpc.call('model.party.party.write', [parties().map(({ id }) => id), { active: false }]);
          await proxy.stop();
        },
      };
    },
  };
};

/** As staff do it, once a sale is processed: by an amendment. */
const editByHand = (rpc: SyncRpc, sale: number): void => {
  const fields = ['product', 'unit', 'unit_price', 'description'];
  const [line] = rpc.rows<Record<string, unknown>>('sale.line', [['sale', '=', sale]], fields);
  const { id, product, unit, unit_price, description } = line ?? {};
  const change = { action: 'line', line: id, product, unit, unit_price, description, quantity: 9 };
  const amendment = rpc.call('model.sale.amendment.create', [[{ sale, lines: [['create', [change]]] }]]);
  rpc.call('model.sale.amendment.validate_amendment', [amendment]);
};
