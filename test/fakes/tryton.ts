import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type PeerServer, startPeerServer } from './peer-server.ts';
import { prices } from './tryton/prices.ts';
import { dateOf, recordStore, TrytonFault, userError, type Values } from './tryton/records.ts';
import { sales } from './tryton/sales.ts';
import { stocks } from './tryton/stock.ts';

/**
 * Tryton's JSON-RPC, as far as the connector speaks it. What it does was observed on Tryton 6.0.29 (Debian's packages,
 * `npm run test:tryton` runs the same conformance tests there), errors and dialect read in trytond/protocols/jsonrpc.py.
 */
export interface FakeTrytonOptions {
  readonly database?: string;
  readonly login?: string;
  readonly password?: string;
  readonly currencies?: Readonly<Record<string, string>>;
  readonly timeZone?: string;
  readonly language?: string;
  /** Whether the module sale_amendment is there. Default: yes. */
  readonly amendments?: boolean;
  /** A task queue worker processes confirmed sales later. Default: none, confirming processes. */
  readonly worker?: boolean;
  /** Shipments and invoices of a sale: made when it is processed (default), or by hand. */
  readonly method?: 'order' | 'manual';
  /** `[phone, ...]` that are refused, as where Python's phonenumbers is installed. */
  readonly refusedPhones?: readonly string[];
  /** Tax numbers that are refused, as where python-stdnum is installed. */
  readonly refusedTaxNumbers?: readonly string[];
  /** By its clock, ISO date. There are periods for this month and the next eleven. Default: 2026-11-23. */
  readonly today?: string;
  readonly port?: number;
  readonly nowMs?: () => number;
  /** Codes; the first one is where sales ship from. Default WH. */
  readonly warehouses?: readonly string[];
  /** Pieces of every product that is goods, in the first warehouse. Default 1000. */
  readonly stock?: number;
  /** Whether the modules sale_price_list and product_price_list_dates are there. Default: yes. */
  readonly priceLists?: boolean;
  /** More goods. */
  readonly goods?: readonly string[];
}

export interface FakeTryton {
  readonly url: string;
  readonly server: PeerServer;
  /** A method, as the administrator calls it: `model.sale.sale.create`. */
  call(method: string, args: readonly unknown[]): unknown;
  /** Records of a model as they are stored. */
  records(model: string): readonly Values[];
  /** Staff count what lies in a warehouse. */
  count(sku: string, quantity: number, warehouse?: string, company?: number): void;
  /** Pieces are on their way from a supplier. @returns they arrive */
  order(sku: string, quantity: number): () => void;
  /** The task queue worker comes round. */
  work(): void;
  /** No session is known any more, as after a change of the password. */
  endSessions(): void;
  stop(): Promise<void>;
}

export const FAKE = { database: 'acme', login: 'waybill', password: 'secret-1' } as const;

const dec = (value: string) => ({ __class__: 'Decimal', decimal: value });

export const startFakeTryton = async (options: FakeTrytonOptions = {}): Promise<FakeTryton> => {
  const { database = FAKE.database, login = FAKE.login, password = FAKE.password } = options;
  const store = recordStore(options.nowMs);
  const stock = stocks(store);
  const today = options.today ?? '2026-11-23';
  const { worker = false, method = 'order' } = options;
  const selling = sales(store, stock, { worker, method, today });
  const sessions = new Set<string>();
  seed(store, stock, options);
  seedPeriods(store, today);
  prices(store, today);

  const models: Record<string, (model: string, args: readonly unknown[]) => unknown> = {
    search_read: (model, [domain, , limit, , fields, context]) =>
      store
        .search(model, domain as unknown[][], context as Record<string, unknown>)
        .slice(0, (limit as number | null) ?? undefined)
        .map((record) => store.read(model, record, fields as string[], context as Record<string, unknown>)),
    read: (model, [ids, fields, context]) =>
      (ids as number[]).map((id) =>
        store.read(model, store.get(model, id), fields as string[], context as Record<string, unknown>),
      ),
    create: (model, [list]) =>
      (list as Values[]).map((values) => store.create(model, checked(model, values)).id),
    write: (model, [ids, values]) => {
      for (const id of ids as number[]) store.write(model, id, values as Values);
      return null;
    },
    delete: (model, [ids]) => {
      for (const id of ids as number[]) store.remove(model, id);
      return null;
    },
    fields_get: (_model, [names]) =>
      Object.fromEntries(
        (names as string[])
          .filter((name) => name !== 'amendments' || (options.amendments ?? true))
          .filter((name) => name !== 'price_list' || (options.priceLists ?? true))
          .map((name) => [name, name === 'unit_price' ? { digits: '[16, 4]' } : {}]),
      ),
    get_preferences: () => ({ company: 1, language: options.language ?? 'en', groups: [] }),
    today: () => dateOf(today),
    // One for one: no rates are kept here.
    compute: (_model, [, amount]) => amount,
    get_types: () => [
      [null, ''],
      ['eu_vat', 'European VAT Number'],
      ['gb_vat', 'United Kingdom VAT Number'],
    ],
  };

  const checked = (model: string, values: Values): Values => {
    if (model !== 'party.party') return values;
    const created = (field: string) =>
      ((values[field] ?? []) as [string, { code?: string; type?: string; value?: string }[]][]).flatMap(
        ([, list]) => list,
      );
    for (const { type, value } of created('contact_mechanisms')) {
      if (type === 'phone' && options.refusedPhones?.includes(value ?? '')) {
        throw userError(`The phone number "${value}" of party "${values['name']}" is not valid.`);
      }
    }
    for (const { code, type } of created('identifiers')) {
      if (type && options.refusedTaxNumbers?.includes(code ?? '')) {
        throw userError(`The ${type} "${code}" of party "${values['name']}" is not valid.`);
      }
    }
    return values;
  };

  const dispatch = (method: string, params: readonly unknown[]): unknown => {
    const parts = method.split('.');
    const name = parts.slice(1, -1).join('.');
    const verb = parts.at(-1) ?? '';
    if (parts[0] === 'wizard') return wizard(name, verb, params);
    if (name === 'account.move' && verb === 'post') {
      for (const id of params[0] as number[]) postMove(store, id);
      return null;
    }
    if (name === 'stock.inventory' && verb === 'confirm') {
      for (const id of params[0] as number[]) stock.confirm(id);
      return null;
    }
    const button = selling.button(name, verb);
    if (button) {
      for (const id of params[0] as number[]) {
        button(store.get(name, id));
        store.touch(store.get(name, id));
      }
      return verb === 'assign_try' ? true : null;
    }
    const work = models[verb];
    if (!work) throw new Refused(403);
    try {
      return work(name, params);
    } finally {
      selling.refresh();
    }
  };

  const wizard = (name: string, verb: string, params: readonly unknown[]): unknown => {
    if (verb === 'create') return [1, 'ask', 'end'];
    if (verb === 'delete') return null;
    const context = params.at(-1) as { active_id: number };
    const field = name === 'sale.handle.shipment.exception' ? 'shipments' : 'invoices';
    selling.ignore(context.active_id, field);
    return {};
  };

  const productOf = (sku: string): number => {
    const [product] = store.all('product.product').filter(({ code }) => code === sku);
    if (!product) throw new Error(`the fake Tryton has no product "${sku}"`);
    return product.id;
  };

  const authenticate = (request: FastifyRequest): void => {
    const [kind, key] = (request.headers.authorization ?? '').split(' ');
    if (kind !== 'Session' || !sessions.has(key ?? '')) throw new Refused(401);
  };

  const answer = (
    request: FastifyRequest,
    path: string,
    method: string,
    params: readonly unknown[],
  ): unknown => {
    if (path === '/') {
      if (method !== 'common.server.version') throw new Refused(403);
      return '6.0.29';
    }
    if (decodeURIComponent(path) !== `/${database}/`) throw new Refused(404);
    if (method === 'common.db.login') {
      const [user, given] = params as [string, { password: string }];
      if (user !== login || given.password !== password) throw new Refused(401);
      const session = randomBytes(8).toString('hex');
      sessions.add(Buffer.from(`${user}:2:${session}`).toString('base64'));
      return [2, session];
    }
    authenticate(request);
    const context = params.at(-1);
    if (!context || typeof context !== 'object' || Array.isArray(context)) {
      throw new TrytonFault('Missing context argument', '');
    }
    return dispatch(method, params);
  };

  const server = await startPeerServer(
    (app) => {
      app.post('/*', (request, reply) => {
        const body = JSON.parse(String(request.body)) as Record<string, unknown>;
        const { id, method, params } = body as { id: number; method: string; params: unknown[] };
        // Another key switches to another dialect, which the connector does not speak.
        if (Object.keys(body).sort().join() !== 'id,method,params')
          return reply.code(400).send('Bad Request');
        try {
          const result = structuredClone(answer(request, request.url, method, params));
          return reply.send({ id, result: result ?? null });
        } catch (error) {
          if (error instanceof Refused)
            return reply.code(error.status).type('text/html').send('<!doctype html>');
          if (error instanceof TrytonFault) return reply.send({ id, error: error.fault });
          throw error;
        }
      });
    },
    options.port === undefined ? {} : { port: options.port },
  );

  return {
    url: server.url,
    server,
    call: (method, args) => structuredClone(dispatch(method, [...structuredClone(args), {}])),
    records: (model) => structuredClone(store.all(model)),
    count: (sku, quantity, warehouse = 'WH', company = 1) =>
      stock.count(productOf(sku), quantity, warehouse, company),
    order: (sku, quantity) => stock.order(productOf(sku), quantity, 'WH'),
    work: () => selling.work(),
    endSessions: () => sessions.clear(),
    stop: () => server.stop(),
  };
};

/** An answer without JSON-RPC: the status is all that it says. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

const GOODS = ['TEA-OOL-150', 'MUG-TH-01', 'TEE-BLUE-M'];
const SERVICES = ['SHIP', 'FEE', 'ROUNDING'];
const TAXES = { '5%': '0.05', '8%': '0.08', '10%': '0.10', '19%': '0.19', '21%': '0.21' };
const CURRENCIES = { TWD: '0.01', EUR: '0.01', JPY: '1', KWD: '0.001' };

const seed = (
  store: ReturnType<typeof recordStore>,
  stock: ReturnType<typeof stocks>,
  options: FakeTrytonOptions,
): void => {
  const party = store.create('party.party', { name: 'Acme Trading', code: '1' });
  store.create('company.company', {
    party: party.id,
    currency: 1,
    timezone: options.timeZone ?? 'Asia/Taipei',
  });
  for (const [code, rounding] of Object.entries(options.currencies ?? CURRENCIES)) {
    store.create('currency.currency', { code, name: code, rounding: dec(rounding) });
  }
  for (const [code, name] of Object.entries({
    TW: 'Taiwan',
    BE: 'Belgium',
    JP: 'Japan',
    US: 'United States',
  })) {
    store.create('country.country', { code, name });
  }
  store.create('country.subdivision', { country: 4, code: 'US-CA', name: 'California' });
  store.create('country.subdivision', { country: 3, code: 'JP-13', name: 'Tokyo' });
  stock.seed(options.warehouses ?? ['WH']);
  store.create('product.category', { name: 'Everything', parent: null, customer_taxes_used: [] });
  store.create('product.uom', { name: 'Unit', symbol: 'u', factor: 1 });
  store.create('account.invoice.payment_term', { name: 'Paid in advance' });
  for (const name of ['Main Cash', 'Main Receivable']) {
    store.create('account.account', { name, party_required: name === 'Main Receivable' });
  }
  store.create('account.configuration', { default_account_receivable: 2 });
  store.create('account.invoice.payment.method', {
    name: 'Stripe',
    company: 1,
    journal: 2,
    debit_account: 1,
    credit_account: 1,
  });
  let lastMove = 0;
  store.onCreate('account.move', (values) => {
    lastMove += 1;
    return { state: 'draft', number: String(lastMove), post_number: null, ...balanced(values) };
  });
  store.create('sale.configuration', { sale_process_after: null });
  store.create('account.tax.group', { name: 'Purchases', kind: 'purchase' });
  for (const [name, rate] of Object.entries(TAXES)) {
    const kind = { type: 'percentage', childs: [] };
    store.create('account.tax', { name, rate: dec(rate), company: 1, parent: null, group: null, ...kind });
  }
  store.create('account.tax', { name: 'Input 5%', rate: dec('0.05'), company: 1, parent: null, group: 1 });
  const product = (code: string, type: string, active = true): number => {
    const sold = { salable: true, list_price: dec('10'), categories: [], account_category: 1 };
    const template = store.create('product.template', { name: code, type, active, ...sold });
    const units = { sale_uom: 1, default_uom: 1 };
    return store.create('product.product', { code, template: template.id, active, ...units }).id;
  };
  const [warehouse = 'WH'] = options.warehouses ?? [];
  for (const code of [...GOODS, ...(options.goods ?? [])]) {
    stock.count(product(code, 'goods'), options.stock ?? 1000, warehouse, 1);
  }
  for (const code of SERVICES) product(code, 'service');
  product('OLD-TEA', 'goods', false);
  store.onCreate('party.party', (values) => ({
    code: String(store.all('party.party').length + 1),
    name: null,
    ...values,
  }));
  const address = {
    party_name: null,
    street: null,
    city: null,
    postal_code: null,
    country: null,
    subdivision: null,
  };
  store.onCreate('party.address', (values) => ({ ...address, ...values }));
};

/** One for each month, of one fiscal year, and the journals that sales are booked in. */
const seedPeriods = (store: ReturnType<typeof recordStore>, today: string): void => {
  const [year = 0, month = 0] = today.split('-').map(Number);
  store.create('account.journal', { name: 'Revenue', type: 'revenue' });
  store.create('account.journal', { name: 'Cash', type: 'cash' });
  const fiscalyear = store.create('account.fiscalyear', { name: String(year), company: 1 }).id;
  for (let n = 0; n < 12; n += 1) {
    const iso = (monthIndex: number, day: number) =>
      new Date(Date.UTC(year, monthIndex, day)).toISOString().slice(0, 10);
    const [first, last] = [iso(month - 1 + n, 1), iso(month + n, 0)];
    const dates = { start_date: dateOf(first), end_date: dateOf(last) };
    const name = first.slice(0, 7);
    store.create('account.period', { name, type: 'standard', state: 'open', fiscalyear, ...dates });
  }
};

/** account/move.py: a draft may be unbalanced, its period is named. */
const balanced = (values: Record<string, unknown>): Record<string, unknown> => {
  if (!values['period'] || !values['journal'] || !values['date']) {
    throw userError('A value is required for field "Period" in "Account Move".');
  }
  return values;
};

/** account/move.py, `post`: nothing becomes of what is posted; it has a second number from then on. */
const postMove = (store: ReturnType<typeof recordStore>, id: number): void => {
  const move = store.get('account.move', id);
  if (move['state'] === 'posted') return;
  const posted = store.all('account.move').filter(({ state }) => state === 'posted').length;
  store.assign('account.move', move, { state: 'posted', post_number: String(posted + 1) });
};
