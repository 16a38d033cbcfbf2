import type { StorefrontStock } from '../../../shared/connectors/stock-contract.ts';
import type { StockMutant } from './workshop.ts';

/** Each takes one guard away, by ports that lie or arguments that are bent. Production code knows nothing of them. */
export const STOCK_MUTANTS: Readonly<Record<string, StockMutant>> = {
  'no subtraction': {
    news: (news) => (news.name === 'order.changed.v1' ? undefined : news),
  },
  'no version check': {
    store: (real, { rows }) => ({
      ...real,
      put: async (row) => {
        rows.set(`${row.erp} ${row.sku}`, { ...row, version: row.version + 1 });
        return true;
      },
    }),
  },
  'raise before lowering is acknowledged': {
    write: (real, world) => ({
      ...real,
      stock: {
        ...real.stock,
        write: async (writes, call) => {
          const lower = writes.filter(({ from, to }) => from !== undefined && to < from);
          // Sent some time, and taken for done.
          if (lower.length > 0)
            world.later(60_000, () => void real.stock.write(lower, call).catch(() => undefined));
          const rest = writes.filter((each) => !lower.includes(each));
          const written = rest.length > 0 ? await real.stock.write(rest, call) : [];
          return [
            ...written,
            ...lower.map(({ sku, location }) => ({ sku, location, kind: 'written' }) as const),
          ];
        },
      },
    }),
  },
  // What a list says is taken for what somebody has set, whatever we have written since.
  'no echo hash': {
    listing: (real, { rows }) => ({
      ...real,
      rows: async (...args) =>
        new Map([...(await real.rows(...args))].map(([sku, row]) => [sku, { ...row, claims: {} }])),
      put: (row) =>
        real.put({ ...row, claims: { ...rows.get(`${row.erp} ${row.sku}`)?.claims, ...row.claims } }),
    }),
  },
  'arrival order': {
    news: (news, arrival) => {
      if (news.name !== 'stock.changed.v1') {
        const { data } = news.event;
        return {
          ...news,
          event: { ...news.event, data: { ...data, sourceVersion: arrival } },
        } as typeof news;
      }
      const { data } = news.event;
      return {
        ...news,
        event: { ...news.event, data: { ...data, asOfMs: data.asOfMs + arrival * 3_600_000 } },
      };
    },
  },
  'sales are taken for known before they are': {
    watermarks: () => ({ of: async () => Number.MAX_SAFE_INTEGER }),
  },
  'no compare': {
    write: (real) => ({ ...real, stock: blind(real.stock) }),
  },
};

const blind = (stock: Pick<StorefrontStock, 'find' | 'write'>): Pick<StorefrontStock, 'find' | 'write'> => ({
  ...stock,
  write: (writes, call) =>
    stock.write(
      writes.map((each) => ({ ...each, from: undefined })),
      call,
    ),
});
