import type { StorefrontStock } from '../../../shared/connectors/stock-contract.ts';
import type { StockRow } from '../../../shared/core/stock/rows.ts';
import type { StockMutant } from './market.ts';

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
  'no echo hash': {
    listing: (real, { rows }) => {
      const unaware = (row: StockRow): StockRow => ({
        ...row,
        claims: Object.fromEntries(
          Object.entries(row.claims).map(([id, { begun: _b, wroteAtMs: _w, ...claim }]) => [id, claim]),
        ),
      });
      return {
        ...real,
        rows: async (...args) =>
          new Map([...(await real.rows(...args))].map(([sku, row]) => [sku, unaware(row)])),
        // What it does not know of stays in the row.
        put: (row) => {
          const held = rows.get(`${row.erp} ${row.sku}`)?.claims ?? {};
          const claims = Object.fromEntries(
            Object.entries(row.claims).map(([id, claim]) => {
              const { begun, wroteAtMs } = held[id] ?? {};
              return [id, { ...claim, ...(begun && { begun }), ...(wroteAtMs && { wroteAtMs }) }];
            }),
          );
          return real.put({ ...row, claims });
        },
      };
    },
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
  'shops that cannot compare are taken for those that can': {
    write: (real) => ({ ...real, compare: 'atomic' }),
  },
  'nothing is waited for after an unanswered write': {
    write: (real) => ({ ...real, settleMs: 0 }),
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
