import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type {
  ErpManifest,
  Manifest,
  PaymentsManifest,
  StorefrontManifest,
} from '../shared/connectors/manifest.ts';
import { MANIFESTS, type Manifests } from '../shared/connectors/manifests.ts';
import { JOURNAL } from '../shared/observability/names.ts';
import { OrderRoute, RECONCILE_MINUTES } from '../shared/settings/order-route.ts';
import { type OrderHint, PaymentRoute } from '../shared/settings/payment-route.ts';
import { StockRoute } from '../shared/settings/stock-route.ts';
import { KINDS, paymentProblems } from './payment-problems.ts';
import { check, hint, nearest, problem, SettingsError } from './problems.ts';
import { stockProblems } from './stock-problems.ts';

export { SettingsError } from './problems.ts';

const kebab = (max: number, what: string) =>
  z
    .string()
    .max(max)
    .regex(
      /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
      `${what} must be kebab-case: small letters, digits and hyphens, starting with a letter`,
    );

/** What a connector's manifest asks of a connection, and which connector it is. */
const connectionOf = (manifest: Manifest) =>
  manifest.settings.extend({ connector: z.literal(manifest.name) });

const [first, ...others] = Object.values(MANIFESTS).map(connectionOf);
if (first === undefined) throw new Error('there are no connectors');

/** One account at one peer. */
const AnyConnection = z.discriminatedUnion('connector', [first, ...others]);

const TimeZone = z.string().superRefine((zone, context) => {
  // Intl also takes offsets; a zone is asked for, because shops keep their days through summer time.
  if (!/^[+-]/.test(zone) && isTimeZone(zone)) return;
  const near = nearest(zone, Intl.supportedValuesOf('timeZone'));
  context.addIssue(
    `"${zone}" is no IANA time zone${near === undefined ? ', e.g. Asia/Taipei' : `; did you mean "${near}"?`}`,
  );
});

const isTimeZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

/** Everything one stage says of itself. Unknown keys are refused. */
export const Settings = z.strictObject({
  name: kebab(20, 'the name of a stage').meta({
    description: 'Names stacks (waybill-<name>-…) and secrets (waybill/<name>/…)',
  }),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be an AWS region, e.g. ap-southeast-1')
    .meta({ description: 'AWS region that everything is deployed to' }),
  timeZone: TimeZone.meta({ description: "The company's zone: where its days begin and end" }),
  connections: z
    .record(
      kebab(32, 'the id of a connection').refine(
        (id) => id !== 'core' && id !== JOURNAL,
        '"core" and "journal" are names of what all connections share',
      ),
      AnyConnection,
    )
    .meta({
      description: 'Accounts at storefronts, ERPs and payment providers, by an id that never changes',
    }),
  orders: z.array(OrderRoute).default([]).meta({ description: 'Which storefront sells into which ERP' }),
  stock: z.array(StockRoute).default([]).meta({
    description: 'Which ERP says what there is, and which storefronts show it',
  }),
  payments: z.array(PaymentRoute).default([]).meta({
    description: 'Which payment provider takes the money for which storefronts',
  }),
  alarms: z
    .strictObject({
      email: z.email().optional().meta({ description: 'Gets every alarm; confirm the mail that SNS sends' }),
    })
    .prefault({}),
  timeScale: z.number().min(0.001).max(1).default(1).meta({
    description: 'Laptop only: multiplies every waiting time. Below 1, deploying is refused',
  }),
  limits: z
    .strictObject({
      maxBodyBytes: z.int().min(10_000).max(700_000).default(700_000).meta({
        description:
          'Largest webhook. A quarantined one travels base64 (4/3) inside an SQS message of 1 MiB: 700,000 bytes make 933,336, and the rest is for headers',
      }),
      archiveDays: z.int().min(1).max(14).default(14).meta({
        description:
          'How long the bus can replay. At most 14: events name buyers, and an archive cannot delete single events',
      }),
    })
    .prefault({}),
});

/** A connection as the stage describes it: `connector`, and what that connector's manifest asks for. */
export type Connection = {
  [K in keyof Manifests]: { connector: K } & z.output<Manifests[K]['settings']>;
}[keyof Manifests];
export type Settings = Readonly<Omit<z.output<typeof Settings>, 'connections'>> & {
  readonly connections: Readonly<Record<string, Connection>>;
};

type ConnectionInput = {
  [K in keyof Manifests]: { connector: K } & z.input<Manifests[K]['settings']>;
}[keyof Manifests];
export type SettingsInput = Omit<z.input<typeof Settings>, 'connections'> & {
  connections: Record<string, ConnectionInput>;
};

/**
 * For stage files: the editor completes and checks what is typed, the rest is checked when it runs.
 * @throws SettingsError
 */
export const settings = (input: SettingsInput): Settings => parseSettings(input, 'settings');

/**
 * @param origin named in errors: a file, usually
 * @throws SettingsError with every problem, not only the first
 */
export const parseSettings = (value: unknown, origin: string): Settings => {
  const checked = check(Settings, value);
  // Routes are compared with connections even when something else is wrong: all problems, one run.
  const problems = [
    ...('problems' in checked ? checked.problems : []),
    ...routeProblems(value),
    ...stockProblemsIn(value),
    ...paymentProblemsIn(value),
  ];
  if (problems.length > 0 || !('value' in checked)) throw new SettingsError(origin, problems);
  // The schema was put together from the same manifests as the type.
  return checked.value as Settings;
};

/**
 * Read a stage: a module (.ts, .mjs, .js) with the settings as default export, or .json.
 * @throws SettingsError unreadable, no default export, or problems in it
 */
export const loadSettingsFile = async (file: string): Promise<Settings> => {
  const origin = path.relative(process.cwd(), file) || file;
  try {
    return parseSettings(await read(file, origin), origin);
  } catch (error) {
    // settings() inside the file does not know which file that is.
    if (error instanceof SettingsError) throw new SettingsError(origin, error.problems);
    throw error;
  }
};

const read = async (file: string, origin: string): Promise<unknown> => {
  const extension = path.extname(file);
  if (extension === '.json') {
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new SettingsError(origin, [`cannot be read (${codeOf(error)})`]);
    });
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new SettingsError(origin, [`is no valid JSON: ${messageOf(error)}`]);
    }
  }
  if (!['.ts', '.mjs', '.js'].includes(extension)) {
    throw new SettingsError(origin, [`"${extension}" is no settings file; known: .ts, .mjs, .js, .json`]);
  }
  const module: { default?: unknown } = await import(pathToFileURL(path.resolve(file)).href).catch(
    (error: unknown) => {
      if (error instanceof SettingsError) throw error;
      throw new SettingsError(origin, [`cannot be loaded: ${messageOf(error)}`]);
    },
  );
  if (module.default === undefined) {
    throw new SettingsError(origin, ['has no default export; write: export default settings({ … })']);
  }
  return module.default;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message);

/** What no single value shows: routes name connections, of the right kind, once. Reads the value as written. */
const routeProblems = (value: unknown): string[] => {
  if (!isRecord(value) || !isRecord(value['connections']) || !Array.isArray(value['orders'])) return [];
  const kinds = new Map(
    Object.entries(value['connections']).map(([id, connection]) => [id, kindOf(connection)] as const),
  );
  const seen = new Map<string, number>();
  return value['orders'].flatMap((route: unknown, index) => {
    if (!isRecord(route)) return [];
    const at = (key: string) => ['orders', index, key];
    const ends = (
      [
        ['from', 'storefront', 'orders come from storefronts'],
        ['to', 'erp', 'orders go to ERPs'],
      ] as const
    ).flatMap(([end, wanted, why]) => {
      const id = route[end];
      if (typeof id !== 'string' || id === '') return [];
      if (!kinds.has(id)) {
        return [problem(at(end), `there is no connection "${id}"; ${hint(id, [...kinds.keys()])}`)];
      }
      const kind = kinds.get(id);
      if (kind === undefined || kind === wanted) return [];
      return [problem(at(end), `"${id}" is ${KINDS[kind]}; ${why}`)];
    });
    const { from, to } = route;
    if (typeof from !== 'string' || typeof to !== 'string') return ends;
    const pair = JSON.stringify([from, to]);
    const earlier = seen.get(pair);
    seen.set(pair, earlier ?? index);
    return earlier === undefined
      ? ends
      : [...ends, problem(['orders', index], `the same route as orders.${earlier} ("${from}" to "${to}")`)];
  });
};

const stockProblemsIn = (value: unknown): string[] => {
  if (!isRecord(value) || !isRecord(value['connections']) || !Array.isArray(value['stock'])) return [];
  const manifests = Object.entries(value['connections']).map(
    ([id, connection]) => [id, manifestOf(connection)] as const,
  );
  return stockProblems(value['stock'], new Map(manifests));
};

const paymentProblemsIn = (value: unknown): string[] => {
  if (!isRecord(value) || !isRecord(value['connections']) || !Array.isArray(value['payments'])) return [];
  const kinds = Object.entries(value['connections']).map(
    ([id, connection]) => [id, kindOf(connection)] as const,
  );
  return paymentProblems(value['payments'], new Map(kinds));
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (connection: unknown): Manifest['kind'] | undefined => manifestOf(connection)?.kind;

const manifestOf = (connection: unknown): Manifest | undefined =>
  isRecord(connection) &&
  typeof connection['connector'] === 'string' &&
  Object.hasOwn(MANIFESTS, connection['connector'])
    ? MANIFESTS[connection['connector']]
    : undefined;

/** One connection with the manifest that speaks for its connector. */
export interface Connected<M extends Manifest = Manifest> {
  readonly id: string;
  readonly connection: Connection;
  readonly manifest: M;
}

export const storefrontsOf = (stage: Settings): readonly Connected<StorefrontManifest>[] =>
  connectionsOf(stage).filter((c): c is Connected<StorefrontManifest> => c.manifest.kind === 'storefront');

export const erpsOf = (stage: Settings): readonly Connected<ErpManifest>[] =>
  connectionsOf(stage).filter((c): c is Connected<ErpManifest> => c.manifest.kind === 'erp');

export const paymentsOf = (stage: Settings): readonly Connected<PaymentsManifest>[] =>
  connectionsOf(stage).filter((c): c is Connected<PaymentsManifest> => c.manifest.kind === 'payments');

/**
 * Who takes the money for a shop. Two shops may number their orders alike: what a payment says of its order then says
 * nothing.
 */
export const providersOf = (
  stage: Settings,
  shop: string,
): readonly { readonly source: string; readonly hint: OrderHint }[] =>
  stage.payments
    .filter(({ orders }) => orders.includes(shop))
    .map(({ from, orders, hint: stated }) => ({
      source: from,
      hint: orders.some((other) => other !== shop) ? 'none' : stated,
    }));

/** Ids of the storefront connections whose orders can be read by id. */
export const fetchableOf = (stage: Settings): readonly string[] =>
  storefrontsOf(stage).flatMap(({ id, manifest }) => (manifest.reads ? [id] : []));

/** How a storefront's list is compared with what is known; undefined: it is not. */
export interface Reconciliation {
  readonly everyMinutes: number;
  /** ERPs that its orders are due at. */
  readonly destinations: readonly string[];
  /** The earliest cut-over among those routes. */
  readonly startAt: string;
}

/** Of all routes of the storefront that are not off; the shortest interval counts. */
export const reconciliationOf = (
  stage: Settings,
  { id, manifest }: Connected<StorefrontManifest>,
): Reconciliation | undefined => {
  const routes = stage.orders.filter(({ from, mode }) => from === id && mode !== 'off');
  const [first] = routes.map(({ startAt }) => startAt).sort((a, b) => Date.parse(a) - Date.parse(b));
  const minutes = routes.flatMap(({ reconcile }) => RECONCILE_MINUTES[reconcile] ?? []);
  return manifest.reads && first !== undefined && minutes.length > 0
    ? { everyMinutes: Math.min(...minutes), destinations: routes.map(({ to }) => to), startAt: first }
    : undefined;
};

/** The route by which an ERP's stock flows, if it is not off. */
export const stockOf = (stage: Settings, erp: string): StockRoute | undefined =>
  stage.stock.find(({ from, mode }) => from === erp && mode !== 'off');

/** The route that says what a shop shows, if it is not off. */
export const stockTo = (stage: Settings, shop: string): StockRoute | undefined =>
  stage.stock.find(({ to, mode }) => to.includes(shop) && mode !== 'off');

/** In the order of the file. */
export const connectionsOf = (stage: Settings): readonly Connected[] =>
  Object.entries(stage.connections).map(([id, connection]) => {
    const manifest = MANIFESTS[connection.connector];
    if (manifest === undefined) throw new Error(`no connector "${connection.connector}"`);
    return { id, connection, manifest };
  });

/** The connector's own fields of a connection, as its manifest's schema reads them. */
export const fieldsOf = ({ connection, manifest }: Connected): Record<string, unknown> =>
  withoutDefaults(
    manifest.settings,
    Object.fromEntries(Object.entries(connection).filter(([key]) => key !== 'connector')),
  );

/**
 * The smallest value that the schema reads as the same: what equals a default is left out, at any depth. A
 * function's environment holds 4 KB, and the function applies the schema again.
 */
export const withoutDefaults = (
  schema: z.ZodType,
  value: Record<string, unknown>,
): Record<string, unknown> => {
  const meaning = JSON.stringify(schema.parse(value));
  const means = (candidate: unknown) => {
    const parsed = schema.safeParse(candidate);
    return parsed.success && JSON.stringify(parsed.data) === meaning;
  };
  const shrink = (
    part: Record<string, unknown>,
    whole: (part: Record<string, unknown>) => Record<string, unknown>,
  ): Record<string, unknown> => {
    let kept = part;
    for (const [key, inner] of Object.entries(part)) {
      const { [key]: _, ...without } = kept;
      if (means(whole(without))) kept = without;
      else if (isRecord(inner)) {
        const others = kept;
        kept = { ...others, [key]: shrink(inner, (smaller) => whole({ ...others, [key]: smaller })) };
      }
    }
    return kept;
  };
  return shrink(value, (all) => all);
};
