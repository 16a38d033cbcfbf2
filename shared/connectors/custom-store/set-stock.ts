import type * as z from 'zod';
import { inChunks } from '../../core/chunks.ts';
import { stableHash } from '../../core/content-hash.ts';
import { UnknownOutcomeError } from '../../core/errors.ts';
import { moneyToDecimal } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import { jsonOf } from '../../http/json.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import { halves, runWrites, type WriteStep } from '../shop-writes.ts';
import type { PriceWrite, PriceWritten, StockRefusal, StockWrite, StockWritten } from '../stock-contract.ts';
import type { StockSession } from './listings.ts';
import { manifest } from './manifest.ts';
import {
  CustomStoreRef,
  PriceResults,
  type PriceUpdates,
  StockResults,
  type StockUpdates,
} from './stock-wire.ts';

/** An entry of a batch, and what is sent for it. */
interface Entry<W, U> {
  readonly write: W;
  readonly update: U;
}
/** What the store says of an entry; undefined: nothing. */
type Answers<U> = (update: U, index: number) => StoreResult | undefined;
interface StoreResult {
  readonly result: 'written' | 'stale' | 'refused';
  readonly quantity?: number | null | undefined;
  readonly code?: keyof typeof REFUSALS | null | undefined;
  readonly message?: string | null | undefined;
}

type Outcome =
  | { readonly kind: 'written' }
  | { readonly kind: 'stale'; readonly actual: number }
  | { readonly kind: 'refused'; readonly code: StockRefusal; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

const REFUSALS = {
  not_found: 'LISTING_GONE',
  unknown_location: 'UNKNOWN_LOCATION',
  not_counted: 'TRACKING_OFF',
  not_mutable: 'NOT_MUTABLE',
  refused: 'REFUSED',
} as const satisfies Record<string, StockRefusal>;

/** Numbers, each compared and set by the store in one step. */
export const setStock = async (
  session: StockSession,
  writes: readonly StockWrite[],
  call: CallContext,
): Promise<readonly StockWritten[]> => {
  const told: StockWritten[] = [];
  const entries: Entry<StockWrite, StockUpdates['updates'][number]>[] = [];
  for (const write of writes) {
    const ref = CustomStoreRef.safeParse(write.ref).data;
    if (!ref) {
      told.push(stock(write, { kind: 'refused', code: 'LISTING_GONE', detail: 'it was never listed' }));
    } else if (write.location !== (ref.location ?? DEFAULT_LOCATION)) {
      const detail = `it was listed at "${ref.location ?? DEFAULT_LOCATION}"`;
      told.push(stock(write, { kind: 'refused', code: 'UNKNOWN_LOCATION', detail }));
    } else {
      const { id, location = null } = ref;
      entries.push({ write, update: { id, location, expected: write.from ?? null, quantity: write.to } });
    }
  }
  const sent = await sendAll({
    session,
    path: '/stock',
    entries,
    schema: StockResults,
    answers:
      ({ results }) =>
      (update) =>
        results.find(({ id, location }) => id === update.id && (location ?? null) === update.location),
    keyOf: ({ key }) => key,
    stated: stock,
    call,
  });
  return [...told, ...sent];
};

/** Prices, and what is shown. The store keeps the dates of a sale. */
export const writePrices = async (
  session: StockSession,
  writes: readonly PriceWrite[],
  call: CallContext,
): Promise<readonly PriceWritten[]> => {
  const told: PriceWritten[] = [];
  const entries: Entry<PriceWrite, PriceUpdates['updates'][number]>[] = [];
  for (const write of writes) {
    const ref = CustomStoreRef.safeParse(write.ref).data;
    if (!ref) {
      told.push(price(write, { kind: 'refused', code: 'LISTING_GONE', detail: 'it was never listed' }));
      continue;
    }
    const { price: usual, sale, status } = write;
    const update = {
      id: ref.id,
      currency: usual.currency,
      price: moneyToDecimal(usual),
      salePrice: sale ? moneyToDecimal(sale.price) : null,
      saleFrom: sale?.from ?? null,
      saleUntil: sale?.until ?? null,
      ...(status && { status }),
    };
    entries.push({ write, update });
  }
  const sent = await sendAll({
    session,
    path: '/prices',
    entries,
    schema: PriceResults,
    answers: ({ results }) => inOrder(results, (result, update) => result.id === update.id),
    keyOf: ({ sku }) => sku,
    stated: price,
    call,
  });
  return [...told, ...sent];
};

/** As the updates were sent; a store that answers in another order is understood, too. */
const inOrder =
  <T extends StoreResult, U>(results: readonly T[], isOf: (result: T, update: U) => boolean): Answers<U> =>
  (update, index) => {
    const same = results[index];
    return same && isOf(same, update) ? same : results.find((result) => isOf(result, update));
  };

interface Sending<W, U, A, R> {
  readonly session: StockSession;
  readonly path: string;
  readonly entries: readonly Entry<W, U>[];
  readonly schema: z.ZodType<A>;
  readonly answers: (answer: A) => Answers<U>;
  readonly keyOf: (write: W) => string;
  readonly stated: (write: W, outcome: Outcome) => R;
  readonly call: CallContext;
}

const sendAll = <W, U, A, R>(sending: Sending<W, U, A, R>): Promise<R[]> => {
  const { session, path, entries, schema, answers, keyOf, stated, call } = sending;
  const step = (batch: readonly Entry<W, U>[]): WriteStep<W, R> => ({
    writes: batch.map(({ write }) => write),
    run: async () => {
      const updates = batch.map(({ update }) => update);
      const key = stableHash([path, batch.map(({ write }) => keyOf(write)), updates]);
      const response = await session.send(path, call, { body: { updates }, key });
      if (response.status >= 400) {
        const [first] = batch;
        const detail = `HTTP ${response.status}`;
        return batch.length > 1 || !first
          ? { told: [], next: halves(batch).map(step) }
          : { told: [stated(first.write, { kind: 'refused', code: 'REFUSED', detail })] };
      }
      const answer = schema.safeParse(response.status === 200 ? jsonOf(response.text) : undefined);
      if (!answer.success) {
        const message = `${session.peer}: HTTP ${response.status}, and no results`;
        throw new UnknownOutcomeError('ANSWER_NOT_UNDERSTOOD', message, { status: response.status });
      }
      const of = answers(answer.data);
      return { told: batch.map(({ write, update }, index) => stated(write, outcomeOf(of(update, index)))) };
    },
  });
  return runWrites(inChunks(entries, manifest.stock?.batch ?? 1).map(step), (write, detail) =>
    stated(write, { kind: 'unknown', detail }),
  );
};

const outcomeOf = (answer: StoreResult | undefined): Outcome => {
  if (!answer) return { kind: 'unknown', detail: 'not in the answer' };
  const { result, quantity, code, message } = answer;
  if (result === 'written') return { kind: 'written' };
  if (result === 'stale') {
    // Stale without a number says that nothing was written, and not what is there.
    return typeof quantity === 'number'
      ? { kind: 'stale', actual: quantity }
      : { kind: 'unknown', detail: 'stale, without a quantity' };
  }
  const refusal = code ?? 'refused';
  return { kind: 'refused', code: REFUSALS[refusal], detail: message ?? refusal };
};

const stock = ({ sku, location }: StockWrite, outcome: Outcome): StockWritten => ({
  sku,
  location,
  ...outcome,
});
const price = ({ sku }: PriceWrite, outcome: Outcome): PriceWritten =>
  outcome.kind === 'stale'
    ? { sku, kind: 'unknown', detail: 'stale, which a price is not' }
    : { sku, ...outcome };
