import Big from 'big.js';
import { dateOf, type RecordStore, userError, type Values } from './records.ts';
import type { Stocks } from './stock.ts';

type Decimal = { readonly decimal: string };
const decimal = (value: Big | string) => ({ __class__: 'Decimal', decimal: new Big(value).toFixed() });
/** Python's decimal rounds halves to the even neighbour, and so does Tryton's currency. */
const round = (amount: Big, unit: string) => amount.div(unit).round(0, Big.roundHalfEven).times(unit);

const DRAFT_SHIPMENTS = ['draft', 'waiting'];

export interface SalesOptions {
  /** A task queue worker processes confirmed sales, some time later. */
  readonly worker: boolean;
  /** What the sale configuration says of shipments and invoices. */
  readonly method: 'order' | 'manual';
  /** By the server's clock, ISO date. */
  readonly today: string;
}

/** What Tryton's modules sale, stock, account_invoice and sale_amendment do with a sale (observed on Tryton 6.0.29). */
export const sales = (store: RecordStore, stock: Stocks, options: SalesOptions) => {
  let lastNumber = 0;
  let lastInvoice = 0;
  const linesOf = (sale: Values) => store.all('sale.line').filter((line) => line['sale'] === sale.id);
  const documents = (sale: Values, field: 'shipments' | 'invoices') =>
    (sale[field] as number[]).map((id) => store.get(MODEL[field], id));
  const saleOf = (field: 'shipments' | 'invoices', id: number): Values | undefined =>
    store.all('sale.sale').find((sale) => (sale[field] as number[]).includes(id));

  /** Amounts are computed while a sale is open and kept from its confirmation on. */
  const total = (sale: Values): void => {
    const rounding = (store.get('currency.currency', sale['currency'])['rounding'] as Decimal).decimal;
    let net = new Big(0);
    const taxes = new Map<number, Big>();
    for (const line of linesOf(sale)) {
      const price = (line['unit_price'] as Decimal | null)?.decimal ?? '0';
      const amount = round(new Big(price).times(Number(line['quantity'] ?? 0)), rounding);
      line['amount'] = decimal(amount);
      net = net.plus(amount);
      for (const id of line['taxes'] as number[]) {
        const { rate } = store.get('account.tax', id) as unknown as { rate: Decimal };
        const exact = new Big(price).times(Number(line['quantity'])).times(rate.decimal);
        taxes.set(id, (taxes.get(id) ?? new Big(0)).plus(exact));
      }
    }
    // By document, the default of the accounting configuration.
    const tax = [...taxes.values()].reduce((sum, amount) => sum.plus(round(amount, rounding)), new Big(0));
    sale['total_amount'] = decimal(net.plus(tax));
  };

  /** Pieces of each line that these documents carry. */
  const carried = (line: Values, field: 'shipments' | 'invoices', sale: Values): number =>
    documents(sale, field)
      .filter(({ state }) => state !== 'cancelled' || isIgnored(sale, field))
      .reduce((sum, document) => sum + ((document['pieces'] as Record<number, number>)[line.id] ?? 0), 0);
  const isIgnored = (sale: Values, field: string) => (sale['ignored'] as string[]).includes(field);

  const makeDocument = (sale: Values, field: 'shipments' | 'invoices', lines: readonly Values[]): void => {
    const pieces: Record<number, number> = {};
    for (const line of lines) {
      const open = Number(line['quantity'] ?? 0) - carried(line, field, sale);
      if (open !== 0) pieces[line.id] = open;
    }
    if (Object.keys(pieces).length === 0) return;
    const moves =
      field === 'shipments'
        ? lines.flatMap((line) => {
            const open = pieces[line.id];
            return open === undefined ? [] : stock.ship(line, open, sale);
          })
        : [];
    const made = store.create(MODEL[field], {
      state: field === 'shipments' ? 'waiting' : 'draft',
      number: null,
      pieces,
      ...(field === 'shipments'
        ? {
            inventory_moves: moves.map(({ inventory }) => inventory),
            outgoing_moves: moves.map(({ outgoing }) => outgoing),
          }
        : { journal: 1, invoice_date: null, accounting_date: null }),
    });
    sale[field] = [...(sale[field] as number[]), made.id];
  };

  const isGoods = (line: Values): boolean =>
    store.get('product.template', store.get('product.product', line['product'])['template'])['type'] ===
    'goods';

  const process = (sale: Values): void => {
    if (!['confirmed', 'processing', 'done'].includes(String(sale['state']))) return;
    const lines = linesOf(sale).filter(({ type }) => type === 'line');
    if (sale['invoice_method'] !== 'manual') makeDocument(sale, 'invoices', lines);
    if (sale['shipment_method'] !== 'manual') {
      const shipped = lines.filter((line) => Number(line['quantity']) >= 0 && isGoods(line));
      makeDocument(sale, 'shipments', shipped);
    }
    settle(sale);
  };

  const settle = (sale: Values): void => {
    const invoices = documents(sale, 'invoices').filter(
      ({ state }) => !(state === 'cancelled' && isIgnored(sale, 'invoices')),
    );
    const shipments = documents(sale, 'shipments');
    const live = shipments.filter(({ state }) => !(state === 'cancelled' && isIgnored(sale, 'shipments')));
    sale['invoice_state'] =
      invoices.length === 0
        ? 'none'
        : invoices.some(({ state }) => state === 'cancelled')
          ? 'exception'
          : invoices.every(({ state }) => state === 'paid')
            ? 'paid'
            : 'waiting';
    sale['shipment_state'] =
      shipments.length === 0
        ? 'none'
        : live.some(({ state }) => state === 'cancelled')
          ? 'exception'
          : live.every(({ state }) => state === 'done')
            ? 'sent'
            : 'waiting';
    const isDone =
      ['none', 'paid'].includes(String(sale['invoice_state'])) &&
      ['none', 'sent'].includes(String(sale['shipment_state']));
    sale['state'] = isDone ? 'done' : 'processing';
  };

  /** A button leaves alone, without a word, what is in another state. */
  const from = (record: Values, states: readonly string[], work: () => void): void => {
    if (states.includes(String(record['state']))) work();
  };
  const move = (states: readonly string[], to: string) => (record: Values) => {
    from(record, states, () => {
      record['state'] = to;
    });
  };

  const named = (sale: Values): string =>
    `${sale['number'] ?? ''}${sale['reference'] ? `[${sale['reference']}]` : ''}`;

  const saleButtons: Record<string, (sale: Values) => void> = {
    quote: (sale) =>
      from(sale, ['draft'], () => {
        for (const kind of ['invoice', 'shipment']) {
          if (sale[`${kind}_address`]) continue;
          const article = kind === 'invoice' ? 'an' : 'a';
          throw userError(
            `To get a quote for sale "${named(sale)}" you must enter ${article} ${kind} address.`,
          );
        }
        lastNumber += sale['number'] ? 0 : 1;
        sale['number'] ??= String(lastNumber);
        sale['state'] = 'quotation';
      }),
    confirm: (sale) =>
      from(sale, ['quotation'], () => {
        total(sale);
        sale['state'] = 'confirmed';
        if (!options.worker) process(sale);
      }),
    process,
    draft: move(['quotation', 'confirmed', 'cancelled'], 'draft'),
    cancel: move(['draft', 'quotation'], 'cancelled'),
  };
  const OPEN_SHIPMENTS = [...DRAFT_SHIPMENTS, 'assigned', 'picked', 'packed'];
  const shipmentButtons: Record<string, (shipment: Values) => void> = {
    draft: move(['waiting'], 'draft'),
    wait: move(['draft', 'assigned'], 'waiting'),
    assign_try: move(['waiting'], 'assigned'),
    pick: move(['assigned'], 'picked'),
    pack: move(['picked'], 'packed'),
    done: move(['packed'], 'done'),
    cancel: move(OPEN_SHIPMENTS, 'cancelled'),
  };
  const invoiceButtons: Record<string, (invoice: Values) => void> = {
    post: (invoice) =>
      from(invoice, ['draft'], () => {
        const date = invoice['invoice_date'] ?? dateOf(options.today);
        assertOpen(isoOf(invoice['accounting_date'] ?? date), invoice['journal']);
        invoice['invoice_date'] = date;
        lastInvoice += 1;
        invoice['number'] = `INV-${String(lastInvoice).padStart(5, '0')}`;
        invoice['state'] = 'posted';
      }),
    cancel: (invoice) => {
      if (invoice['state'] === 'posted') {
        throw userError(
          `You cannot cancel customer invoice "${invoice['number']}" because it is posted and company setup does not allow it.`,
        );
      }
      move(['draft'], 'cancelled')(invoice);
    },
  };
  const periodButtons: Record<string, (period: Values) => void> = {
    close: move(['open'], 'close'),
    reopen: move(['close'], 'open'),
  };
  /** account/period.py, Period.find; account/journal.py. Observed: nothing of the invoice is kept then. */
  const assertOpen = (day: string, journal: unknown): void => {
    const [year, month, date] = day.split('-');
    const period = store
      .all('account.period')
      .find(
        ({ state, start_date, end_date }) =>
          state === 'open' && isoOf(start_date) <= day && day <= isoOf(end_date),
      );
    if (!period) {
      throw userError(`To continue, you must create a period for the date "${month}/${date}/${year}".`);
    }
    const isClosed = store
      .all('account.journal.period')
      .some((row) => row['journal'] === journal && row['period'] === period.id && row['state'] === 'close');
    if (isClosed) {
      throw userError(
        `You cannot add/modify/delete lines on closed journal-period "Revenue - ${period['name']}".`,
      );
    }
  };
  const settled =
    (field: 'shipments' | 'invoices', buttons: Record<string, (record: Values) => void>) =>
    (button: string) => {
      const press = buttons[button];
      return (
        press &&
        ((record: Values) => {
          press(record);
          if (field === 'shipments') stock.follow(record);
          const sale = saleOf(field, record.id);
          if (sale) settle(sale);
        })
      );
    };

  /** What nobody has touched is made anew, from the changed lines. */
  const amend = (amendment: Values): void =>
    from(amendment, ['draft'], () => {
      const sale = store.get('sale.sale', amendment['sale']);
      for (const change of store.all('sale.amendment.line')) {
        if (change['amendment'] !== amendment.id) continue;
        if (change['action'] === 'party') {
          for (const field of ['party', 'invoice_address', 'shipment_address']) sale[field] = change[field];
        } else {
          const line = store.get('sale.line', change['line']);
          for (const field of ['product', 'quantity', 'unit', 'unit_price', 'description']) {
            line[field] = change[field];
          }
        }
      }
      total(sale);
      const kept = (field: 'shipments' | 'invoices', states: readonly string[]) =>
        documents(sale, field)
          .filter(({ state }) => !states.includes(String(state)))
          .map(({ id }) => id);
      for (const shipment of documents(sale, 'shipments')) {
        if (DRAFT_SHIPMENTS.includes(String(shipment['state']))) stock.drop(shipment);
      }
      sale['shipments'] = kept('shipments', DRAFT_SHIPMENTS);
      sale['invoices'] = kept('invoices', ['draft']);
      amendment['state'] = 'validated';
      process(sale);
    });

  store.onCreate('sale.sale', (values) => ({
    number: null,
    reference: null,
    origin: null,
    comment: null,
    invoice_address: null,
    shipment_address: null,
    sale_date: null,
    warehouse: 1,
    state: 'draft',
    invoice_method: options.method,
    shipment_method: options.method,
    invoice_state: 'none',
    shipment_state: 'none',
    shipments: [],
    invoices: [],
    ignored: [],
    company: 1,
    description: null,
    create_date: { __class__: 'datetime', year: 2026, month: 11, day: 23, hour: 12 },
    ...values,
  }));
  store.onCreate('sale.amendment', (values) => {
    const sale = store.get('sale.sale', values['sale']);
    if (!['processing', 'done'].includes(String(sale['state']))) {
      throw userError('The value for field "Sale" in "Sale Amendment" is not valid according to its domain.');
    }
    return { description: null, state: 'draft', ...values };
  });
  store.onCreate('sale.line', (values) => {
    const product = store.all('product.product').find(({ id }) => id === values['product']);
    if (!product) {
      throw userError('The value for field "Product" in "Sale Line" is not valid according to its domain.');
    }
    const price = (values['unit_price'] as Decimal | undefined)?.decimal ?? '';
    if ((price.split('.')[1]?.replace(/0+$/, '').length ?? 0) > 4) {
      throw userError(
        `The number of digits in the value "Decimal('${price}')" for field "Unit Price" in "Sale Line" exceeds the limit of "4".`,
      );
    }
    return { taxes: [], amount: null, description: null, ...values };
  });

  return {
    /** After every change: an open sale shows what its lines say. */
    refresh: () => {
      for (const sale of store.all('sale.sale')) {
        if (['draft', 'quotation'].includes(String(sale['state']))) total(sale);
      }
    },
    button: (model: string, name: string): ((record: Values) => void) | undefined => {
      switch (model) {
        case 'sale.sale':
          return saleButtons[name];
        case 'stock.shipment.out':
          return settled('shipments', shipmentButtons)(name);
        case 'account.invoice':
          return settled('invoices', invoiceButtons)(name);
        case 'account.period':
          return periodButtons[name];
        case 'sale.amendment':
          return name === 'validate_amendment' ? amend : undefined;
      }
      return undefined;
    },
    /** Cancelled documents are not made anew. */
    ignore: (saleId: number, field: 'shipments' | 'invoices'): void => {
      const sale = store.get('sale.sale', saleId);
      sale['ignored'] = [...(sale['ignored'] as string[]), field];
      settle(sale);
    },
    /** The worker comes round. */
    work: () => {
      for (const sale of store.all('sale.sale')) if (sale['state'] === 'confirmed') process(sale);
    },
  };
};

const isoOf = (date: unknown): string => {
  const { year, month, day } = date as Record<'year' | 'month' | 'day', number>;
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
};

const MODEL = { shipments: 'stock.shipment.out', invoices: 'account.invoice' } as const;
