import { json2Routes, notFound } from './odoo/json-2.ts';
import { type OdooVersion, odooModels } from './odoo/models.ts';
import { Database, type Env, OdooException, type Row, roundDigits, type Vals } from './odoo/orm.ts';
import { type PeerServer, startPeerServer } from './peer-server.ts';

export interface FakeOdooOptions {
  readonly port?: number;
  readonly version: OdooVersion;
  readonly database: string;
  readonly login: string;
  readonly apiKey: string;
  /** The first one is the user's own. Default: one company in USD. */
  readonly companies?: readonly {
    readonly name: string;
    readonly currency: string;
    /** ISO 3166-1 alpha-2, default US. */
    readonly country?: string;
    readonly roundGlobally?: boolean;
    /** The API user has no access to it. */
    readonly closed?: boolean;
  }[];
  /** Active besides those of companies and pricelists; or other rounding units. */
  readonly currencies?: readonly {
    readonly name: string;
    readonly rounding?: number;
    readonly active?: boolean;
  }[];
  readonly products: readonly {
    readonly sku: string;
    readonly name: string;
    readonly price?: number;
    /** Default goods; the stock of services is not counted. */
    readonly service?: boolean;
    /** Goods of which Odoo counts no pieces. */
    readonly untracked?: boolean;
    /** Has a bill of materials of type kit. */
    readonly kit?: boolean;
    /** In the first warehouse, or by warehouse. */
    readonly stock?: number | Readonly<Record<string, number>>;
    /** Full name, e.g. `All / Tea`. Default: All. */
    readonly category?: string;
    /** Default true. */
    readonly forSale?: boolean;
    readonly archived?: boolean;
    readonly company?: string;
    /** Names of taxes. */
    readonly taxes?: readonly string[];
  }[];
  readonly taxes: readonly {
    readonly name: string;
    readonly amount: number;
    readonly type?: 'percent' | 'fixed' | 'division' | 'group';
    readonly included?: boolean;
    /** Order in which the taxes of a line are computed. Default 1; then by id. */
    readonly sequence?: number;
    readonly includeBaseAmount?: boolean;
    readonly children?: readonly string[];
    readonly use?: 'sale' | 'purchase';
    /** Default: the first company. */
    readonly company?: string;
  }[];
  readonly pricelists?: readonly {
    readonly name: string;
    readonly currency: string;
    readonly company?: string;
    readonly sequence?: number;
  }[];
  readonly warehouses?: readonly {
    readonly code: string;
    readonly name?: string;
    readonly company?: string;
    /** When its deliveries reserve. Default: when they are confirmed. */
    readonly reservation?: 'at_confirm' | 'manual';
  }[];
  readonly paymentTerms?: readonly { readonly name: string }[];
  readonly journals?: readonly {
    readonly code: string;
    readonly name: string;
    readonly type?: 'bank' | 'cash' | 'credit' | 'sale';
    /** Default: the first company. */
    readonly company?: string;
  }[];
  readonly states?: readonly { readonly country: string; readonly code: string; readonly name: string }[];
  /** Decimals of "Product Price". Default 2. */
  readonly priceDigits?: number;
  readonly nowMs?: () => number;
}

export interface FakeOdoo {
  readonly url: string;
  readonly server: PeerServer;
  /** Every order there is, as plain objects, oldest first. */
  orders(): {
    readonly id: number;
    readonly name: string;
    readonly client_order_ref: string | false;
    readonly state: string;
    readonly amount_total: number;
    readonly date_order: string;
    readonly createdAtMs: number;
  }[];
  /** When an order was created, by this fake's clock. */
  createdAtMs(orderId: number): number | undefined;
  /** Records of a model as they are stored. */
  records(model: string): Row[];
  /** What a user of Odoo would do by hand. */
  call(model: string, method: string, args: readonly unknown[], kwargs?: Vals): unknown;
  /** The next record of a model gets this id. */
  nextId(model: string, id: number): void;
  /** A backup of the database. @returns restores it */
  backup(): () => void;
  /** What a login, a call and, in 19, a bearer token must be from now on. */
  setApiKey(apiKey: string): void;
  stop(): Promise<void>;
}

/**
 * An Odoo 16 to 19 that keeps state and speaks JSON-RPC on `/jsonrpc`, 19 also JSON-2. It answers what a real Odoo 18
 * was observed to answer: exception names and messages, `[id, name]`, false for nothing, no `result` for None; and 19
 * where it was observed to differ. It computes amounts as Odoo does, confirms, reserves, and allows what Odoo allows: duplicate references, overselling.
 */
export const startFakeOdoo = async (options: FakeOdooOptions): Promise<FakeOdoo> => {
  const { version } = options;
  const nowMs = options.nowMs ?? Date.now;
  const mrp = options.products.some(({ kit }) => kit);
  const db = new Database(odooModels(version, mrp), nowMs);
  const createdAtMs = new Map<number, number>();
  let apiKey = options.apiKey;
  const uid = seed(db, options);

  const envOf = (context: Vals): Env => {
    const user = db.get('res.users', uid);
    const allowed = (context['allowed_company_ids'] as number[] | undefined) ?? [];
    const open = user?.['company_ids'] as number[];
    if (allowed.some((id) => !open.includes(id))) {
      throw new OdooException('odoo.exceptions.AccessError', 'Access to unauthorized or invalid companies.');
    }
    const own = user?.['company_id'] as number;
    return {
      db,
      uid,
      context,
      companyIds: allowed.length > 0 ? allowed : [own, ...open.filter((id) => id !== own)],
    };
  };

  const callMethod = (model: string, method: string, args: readonly unknown[], kwargs: Vals): unknown => {
    const { context, ...named } = kwargs;
    const env = envOf((context ?? {}) as Vals);
    const spec = db.model(model);
    if (method.startsWith('_')) {
      throw new OdooException(
        'odoo.exceptions.AccessError',
        `Private methods (such as ${method}) cannot be called remotely.`,
      );
    }
    return db.transaction(() => {
      const own = spec.methods?.[method];
      if (own) return own((args[0] ?? []) as number[], args.slice(1), named, env);
      const generic = GENERIC[method];
      if (!generic) {
        throw new OdooException(
          'builtins.AttributeError',
          `The method '${method}' does not exist on the model '${model}'`,
        );
      }
      const result = generic(model, args, named, env);
      if (model === 'sale.order' && method === 'create') {
        for (const id of [result].flat() as number[]) createdAtMs.set(id, nowMs());
      }
      return result;
    });
  };

  const common = (method: string, args: readonly unknown[]): unknown => {
    if (method === 'version') {
      return {
        server_version: `${version}.0`,
        server_version_info: [version, 0, 0, 'final', 0, ''],
        server_serie: `${version}.0`,
        protocol_version: 1,
      };
    }
    const [database, login, key] = args;
    openDatabase(database);
    return login === options.login && key === apiKey ? uid : false;
  };

  const openDatabase = (database: unknown): void => {
    if (database === options.database) return;
    throw new OdooException(
      'psycopg2.OperationalError',
      `connection to server on socket "[path]" failed: FATAL:  database "${String(database)}" does not exist\n`,
    );
  };

  const dispatch = ({
    service,
    method,
    args,
  }: {
    service: string;
    method: string;
    args: unknown[];
  }): unknown => {
    if (service === 'common') return common(method, args);
    const [database, user, key, model, name, positional, named] = args;
    openDatabase(database);
    if (user !== uid || key !== apiKey) {
      throw new OdooException('odoo.exceptions.AccessDenied', 'Access Denied');
    }
    return callMethod(String(model), String(name), (positional ?? []) as unknown[], (named ?? {}) as Vals);
  };

  const server = await startPeerServer(
    (app) => {
      app.post('/jsonrpc', async (request) => {
        const { id, params } = JSON.parse((request.body as Buffer).toString());
        try {
          return { jsonrpc: '2.0', id, result: dispatch(params) };
        } catch (error) {
          if (!(error instanceof OdooException)) throw error;
          const { exception: name, message } = error;
          const data = {
            name,
            debug: 'Traceback (most recent call last): [removed]',
            message,
            arguments: [message],
            context: {},
          };
          return {
            jsonrpc: '2.0',
            id,
            error: { code: version >= 19 ? 0 : 200, message: 'Odoo Server Error', data },
          };
        }
      });
      if (version >= 19) {
        json2Routes(app, {
          database: options.database,
          apiKey: () => apiKey,
          methods: (model) => (db.has(model) ? Object.keys(db.model(model).methods ?? {}) : undefined),
          call: callMethod,
        });
      }
      app.setNotFoundHandler(notFound);
    },
    options.port === undefined ? {} : { port: options.port },
  );

  return {
    url: server.url,
    server,
    orders: () =>
      db.all('sale.order').map((row) => ({
        id: row.id,
        name: String(row['name']),
        client_order_ref: row['client_order_ref'] as string | false,
        state: String(row['state']),
        amount_total: roundDigits(Number(row['amount_total']), 6),
        date_order: String(row['date_order']),
        createdAtMs: createdAtMs.get(row.id) ?? 0,
      })),
    createdAtMs: (orderId) => createdAtMs.get(orderId),
    records: (model) => db.all(model),
    call: (model, method, args, kwargs = {}) => callMethod(model, method, args, kwargs),
    nextId: (model, id) => db.table(model).startAt(id),
    backup: () => db.saved(),
    setApiKey: (key) => {
      apiKey = key;
    },
    stop: () => server.stop(),
  };
};

type Generic = (model: string, args: readonly unknown[], kwargs: Vals, env: Env) => unknown;

/** What every model can do. Arguments by position or by name, as Python takes them. */
const GENERIC: Readonly<Record<string, Generic>> = {
  search: (model, args, kwargs, env) =>
    env.db.search(model, domainOf(args, kwargs), paging(args.slice(1), kwargs), env).map(({ id }) => id),
  search_count: (model, args, kwargs, env) => env.db.search(model, domainOf(args, kwargs), {}, env).length,
  search_read: (model, args, kwargs, env) =>
    env.db.read(
      model,
      env.db.search(model, domainOf(args, kwargs), paging(args.slice(2), kwargs), env),
      (kwargs['fields'] ?? args[1]) as string[] | undefined,
      env,
    ),
  read: (model, args, kwargs, env) => {
    const ids = [args[0]].flat() as number[];
    // What does not exist is left out (observed on 18).
    const rows = ids.map((id) => env.db.get(model, id)).filter((row) => row !== undefined);
    return env.db.read(model, rows, (kwargs['fields'] ?? args[1]) as string[] | undefined, env);
  },
  create: (model, args, kwargs, env) => {
    const vals = args[0] ?? kwargs['vals_list'];
    return Array.isArray(vals)
      ? vals.map((each: Vals) => env.db.create(model, each, env))
      : env.db.create(model, vals as Vals, env);
  },
  write: (model, args, kwargs, env) => {
    env.db.write(model, [args[0]].flat() as number[], (args[1] ?? kwargs['vals']) as Vals, env);
    return true;
  },
  unlink: (model, args, _kwargs, env) => {
    env.db.unlink(model, [args[0]].flat() as number[], env);
    return true;
  },
  fields_get: (model, args, kwargs, env) =>
    env.db.fieldsGet(
      model,
      (kwargs['allfields'] ?? args[0]) as string[] | undefined,
      (kwargs['attributes'] ?? args[1]) as string[] | undefined,
    ),
};

const domainOf = (args: readonly unknown[], kwargs: Vals): unknown[] =>
  (kwargs['domain'] ?? args[0] ?? []) as unknown[];

const paging = (args: readonly unknown[], kwargs: Vals) => ({
  offset: Number(kwargs['offset'] ?? args[0] ?? 0),
  limit: Number(kwargs['limit'] ?? args[1] ?? 0),
  order: String(kwargs['order'] ?? args[2] ?? ''),
});

/** Units of rounding where they are not 0.01. TWD has whole dollars in Odoo, though ISO 4217 gives it cents. */
const ROUNDING: Readonly<Record<string, number>> = { JPY: 1, KRW: 1, VND: 1, TWD: 1, KWD: 0.001, BHD: 0.001 };
const CURRENCIES = 'USD EUR GBP TWD JPY KWD THB CNY HKD SGD KRW VND MYR AUD CAD CHF SEK BHD'.split(' ');

const COUNTRIES =
  'AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CK CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ES ET FI FJ FR GA GB GD GE GH GI GM GN GQ GR GT GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KM KR KW KY KZ LA LB LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PG PH PK PL PR PS PT PY QA RO RS RU RW SA SC SD SE SG SI SK SL SN SR SV SY TD TG TH TJ TM TN TR TT TW TZ UA UG US UY UZ VA VE VN YE ZA ZM ZW'.split(
    ' ',
  );

/** Fills the database; returns the id of the API user. */
const seed = (db: Database, options: FakeOdooOptions): number => {
  const env: Env = { db, uid: 2, context: {}, companyIds: [] };
  const ids = new Map<string, number>();
  const make = (model: string, key: string, vals: Vals): number => {
    const id = db.create(model, vals, env);
    ids.set(`${model} ${key}`, id);
    return id;
  };
  const idOf = (model: string, key: string | undefined): number | false => {
    if (key === undefined) return false;
    const id = ids.get(`${model} ${key}`);
    if (id === undefined) throw new Error(`the fake Odoo has no ${model} "${key}"`);
    return id;
  };

  const names = new Intl.DisplayNames(['en'], { type: 'region' });
  for (const code of COUNTRIES) make('res.country', code, { code, name: names.of(code) ?? code });
  for (const { country, code, name } of options.states ?? STATES) {
    db.create('res.country.state', { code, name, country_id: idOf('res.country', country) }, env);
  }
  const companies = options.companies ?? [{ name: 'My Company', currency: 'USD' }];
  const used = new Set([...companies, ...(options.pricelists ?? [])].map(({ currency }) => currency));
  const own = new Map((options.currencies ?? []).map((currency) => [currency.name, currency]));
  for (const name of new Set([...CURRENCIES, ...used, ...own.keys()])) {
    const { rounding = ROUNDING[name] ?? 0.01, active = own.has(name) || used.has(name) } =
      own.get(name) ?? {};
    make('res.currency', name, { name, symbol: name, rounding, active });
  }
  for (const { name, currency, country = 'US', roundGlobally } of companies) {
    const partner = db.create('res.partner', { name, is_company: true }, env);
    make('res.company', name, {
      name,
      country_id: idOf('res.country', country),
      currency_id: idOf('res.currency', currency),
      partner_id: partner,
      ...(roundGlobally && { tax_calculation_rounding_method: 'round_globally' }),
    });
  }
  const first = companies[0]?.name;
  const open = companies.filter(({ closed }) => !closed).map(({ name }) => idOf('res.company', name));
  db.create('res.users', { name: 'OdooBot', login: '__system__' }, env);
  const uid = db.create(
    'res.users',
    {
      name: 'Waybill',
      login: options.login,
      company_id: idOf('res.company', first),
      company_ids: [[6, 0, open]],
    },
    env,
  );
  db.create('decimal.precision', { name: 'Product Price', digits: options.priceDigits ?? 2 }, env);
  db.create('uom.uom', { name: 'Units' }, env);
  const categories = new Map<string, number>();
  const categoryOf = (fullName: string): number => {
    const known = categories.get(fullName);
    if (known !== undefined) return known;
    const parts = fullName.split(' / ');
    const parent = parts.slice(0, -1).join(' / ');
    const parent_id = parent ? categoryOf(parent) : false;
    const id = db.create('product.category', { name: parts.at(-1), parent_id }, env);
    categories.set(fullName, id);
    return id;
  };
  categoryOf('All');
  for (const tax of options.taxes) {
    make('account.tax', tax.name, {
      name: tax.name,
      amount: tax.amount,
      amount_type: tax.type ?? 'percent',
      sequence: tax.sequence ?? 1,
      type_tax_use: tax.use ?? 'sale',
      price_include: tax.included ?? false,
      include_base_amount: tax.includeBaseAmount ?? false,
      company_id: idOf('res.company', tax.company ?? first),
      children_tax_ids: [[6, 0, (tax.children ?? []).map((name) => idOf('account.tax', name))]],
    });
  }
  const pricelists = [...(options.pricelists ?? [])];
  // 16 has one from the start: orders need it.
  if (options.version === 16 && pricelists.length === 0) {
    pricelists.push({ name: 'Public Pricelist', currency: companies[0]?.currency ?? 'USD' });
  }
  for (const { name, currency, company, sequence } of pricelists) {
    db.create(
      'product.pricelist',
      {
        name,
        currency_id: idOf('res.currency', currency),
        company_id: idOf('res.company', company),
        ...(sequence !== undefined && { sequence }),
      },
      env,
    );
  }
  db.create('stock.location', { complete_name: 'Partners/Customers', usage: 'customer' }, env);
  const warehouses =
    options.warehouses ?? companies.map(({ name }, n) => ({ code: n ? `WH${n + 1}` : 'WH', company: name }));
  for (const { code, name = code, company, reservation = 'at_confirm' } of warehouses as NonNullable<
    FakeOdooOptions['warehouses']
  >) {
    const view = db.create('stock.location', { complete_name: code, usage: 'view' }, env);
    const inside = { complete_name: `${code}/Stock`, location_id: view };
    const stock = db.create('stock.location', inside, env);
    const id = make('stock.warehouse', code, {
      code,
      name,
      company_id: idOf('res.company', company ?? first),
      partner_id: db.get('res.company', idOf('res.company', company ?? first))?.['partner_id'],
      lot_stock_id: stock,
      view_location_id: view,
      reservation_method: reservation,
    });
    db.patch('stock.location', stock, { warehouse_id: id });
  }
  for (const product of options.products) {
    const id = db.create(
      'product.product',
      {
        name: product.name,
        default_code: product.sku,
        list_price: product.price ?? 0,
        type: product.service ? 'service' : options.version >= 18 || product.untracked ? 'consu' : 'product',
        ...(options.version >= 18 && { is_storable: !product.service && !product.untracked }),
        ...(product.kit && { is_kits: true }),
        active: !product.archived,
        sale_ok: product.forSale ?? true,
        categ_id: categoryOf(product.category ?? 'All'),
        company_id: idOf('res.company', product.company),
        taxes_id: [[6, 0, (product.taxes ?? []).map((name) => idOf('account.tax', name))]],
      },
      env,
    );
    const [first] = db.all('stock.warehouse');
    const { stock = 0 } = product;
    const byWarehouse = typeof stock === 'number' ? { [String(first?.['code'])]: stock } : stock;
    for (const [code, quantity] of Object.entries(byWarehouse)) {
      const place = db.all('stock.warehouse').find((warehouse) => warehouse['code'] === code);
      if (!place) throw new Error(`the fake Odoo has no warehouse "${code}"`);
      const location_id = place['lot_stock_id'];
      if (quantity !== 0) db.create('stock.quant', { product_id: id, location_id, quantity }, env);
    }
  }
  for (const { name } of options.paymentTerms ?? []) db.create('account.payment.term', { name }, env);
  for (const { code, name, type = 'bank', company = companies[0]?.name } of options.journals ?? []) {
    db.create('account.journal', { code, name, type, company_id: idOf('res.company', company) }, env);
  }
  const modules = ['account', 'sale', 'sale_management', 'sale_stock', 'stock', 'delivery', 'stock_delivery'];
  for (const name of modules) {
    const latest_version = `${options.version}.0.1.0`;
    db.create('ir.module.module', { name, state: 'installed', latest_version }, env);
  }
  return uid;
};

/** A few as Odoo ships them: Japan by bare number, Malaysia with the country, the United States by letters. */
const STATES = [
  { country: 'US', code: 'CA', name: 'California' },
  { country: 'US', code: 'NY', name: 'New York' },
  { country: 'JP', code: '13', name: 'Tokyo' },
  { country: 'JP', code: '27', name: 'Osaka' },
  { country: 'MY', code: 'MY-14', name: 'Kuala Lumpur' },
  { country: 'CA', code: 'ON', name: 'Ontario' },
  { country: 'DE', code: 'BY', name: 'Bavaria' },
];
