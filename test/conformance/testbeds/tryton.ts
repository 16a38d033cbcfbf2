import {
  type TrytonCredentials,
  type TrytonSettings,
  tryton,
} from '../../../shared/connectors/tryton/index.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';
import { mappingsOf } from '../../unit/tryton/harness.ts';
import type { ErpTestbed } from '../erp.suite.ts';
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
} from './tryton-view.ts';

export const trytonTestbed: ErpTestbed<TrytonSettings, TrytonCredentials> = {
  title: '',
  connector: tryton,
  settings: (url) => ({ url, database: FAKE.database }),
  credentials: { login: FAKE.login, password: FAKE.password },
  changes: true,
  mappings: mappingsOf([
    ['tax', '1', '5%'],
    ['journal', 'stripe', 'Stripe'],
    ['journal', 'gone', 'NOT-THERE'],
  ]),
  start: async () => {
    const fake = await startFakeTryton();
    const sales = () =>
      fake.call('model.sale.sale.search_read', [[], 0, null, null, SALE_FIELDS]) as SaleRow[];
    // The company itself is a party, too.
    const parties = () => fake.records('party.party').length - 1;
    return {
      url: fake.url,
      server: fake.server,
      isWrite,
      refusal: REFUSAL,
      orders: () =>
        sales()
          .filter(({ origin }) => !origin)
          .map(orderOf),
      customers: parties,
      enterByHand: (reference) => {
        fake.call('model.sale.sale.create', [[{ party: 1, currency: 1, reference }]]);
      },
      changes: {
        editByHand: (id) => editByHand(fake, Number(id)),
        deliver: (id) => {
          const [sale] = fake.records('sale.sale').filter((each) => each.id === Number(id));
          for (const button of ['assign_try', 'pick', 'pack', 'done']) {
            fake.call(`model.stock.shipment.out.${button}`, [sale?.['shipments']]);
          }
        },
        closeBooks: () => {
          const periods = fake.records('account.period').map(({ id }) => id);
          fake.call('model.account.period.close', [periods]);
          return () => void fake.call('model.account.period.reopen', [periods]);
        },
        creditNotes: () =>
          sales()
            .filter(({ origin }) => origin)
            .map(creditNoteOf),
      },
      payments: () =>
        (fake.call('model.account.move.search_read', [[], 0, null, null, MOVE_FIELDS]) as MoveRow[]).map(
          paymentOf,
        ),
      stop: () => fake.stop(),
    };
  },
};

/** As staff do it, once a sale is processed: by an amendment. */
const editByHand = (fake: FakeTryton, sale: number): void => {
  const line = fake.records('sale.line').find((each) => each['sale'] === sale);
  if (!line) throw new Error(`sale ${sale} has no line`);
  const { id, product, unit, unit_price, description } = line;
  const change = { action: 'line', line: id, product, unit, unit_price, description, quantity: 9 };
  const amendment = fake.call('model.sale.amendment.create', [[{ sale, lines: [['create', [change]]] }]]);
  fake.call('model.sale.amendment.validate_amendment', [amendment]);
};
