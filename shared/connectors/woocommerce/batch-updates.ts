import { inChunks } from '../../core/chunks.ts';
import { UnknownOutcomeError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { jsonOf } from '../../http/json.ts';
import { halves, type WriteStep } from '../shop-writes.ts';
import type { StockRefusal } from '../stock-contract.ts';
import type { StockSession } from './listings.ts';
import { manifest } from './manifest.ts';
import { errorCode } from './rest.ts';
import { WcBatchAnswer, type WooCommerceRef } from './stock-wire.ts';

/** Fields of one product or variation that are set. */
export interface Change<W> {
  readonly write: W;
  readonly ref: WooCommerceRef;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Outcome =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused'; readonly code: StockRefusal; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** An id that belongs to a variation, sent to the products' endpoint (class-wc-rest-products-controller.php). */
const IS_VARIATION = 'woocommerce_rest_invalid_product_id';
const GONE = /^woocommerce_rest_(\w+_)?invalid_id$/;

/** Products, and the variations of each product: they have endpoints of their own. */
export const byEndpoint = <W>(changes: readonly Change<W>[]): readonly (readonly Change<W>[])[] => {
  const groups = new Map<string | undefined, Change<W>[]>();
  for (const change of changes) {
    const group = groups.get(change.ref.parent) ?? [];
    groups.set(change.ref.parent, group);
    group.push(change);
  }
  return [...groups.values()].flatMap((group) => inChunks(group, manifest.stock?.batch ?? 1));
};

/**
 * Sends changes of one endpoint, at most a hundred. Entries fail alone, inside an answer of 200; a batch that is refused as a
 * whole is split. `stated` makes the answer for an entry.
 */
export const batchUpdate = <W extends { readonly sku: string }, R>(
  session: StockSession,
  changes: readonly Change<W>[],
  stated: (write: W, outcome: Outcome) => R,
  call: CallContext,
): WriteStep<W, R> => {
  const parent = changes[0]?.ref.parent;
  const path = parent === undefined ? '/products/batch' : `/products/${parent}/variations/batch`;
  return {
    writes: changes.map(({ write }) => write),
    run: async () => {
      const update = changes.map(({ ref, fields }) => ({ id: Number(ref.id), ...fields }));
      const response = await session.ask((rest) => rest.post(path, { update }, call));
      if (response.status >= 400) {
        const [first] = changes;
        const detail = `HTTP ${response.status} ${errorCode(response) ?? ''}`.trim();
        return changes.length > 1 || !first
          ? { told: [], next: halves(changes).map((half) => batchUpdate(session, half, stated, call)) }
          : { told: [stated(first.write, { kind: 'refused', code: 'REFUSED', detail })] };
      }
      const answer = WcBatchAnswer.safeParse(response.status === 200 ? jsonOf(response.text) : undefined);
      if (!answer.success) {
        const message = `${session.peer}: HTTP ${response.status}, and no answer to a batch`;
        throw new UnknownOutcomeError('ANSWER_NOT_UNDERSTOOD', message, { status: response.status });
      }
      const told: R[] = [];
      const variations: Change<W>[] = [];
      for (const change of changes) {
        const entry = answer.data.update.find(({ id }) => id === change.ref.id);
        if (entry?.error?.code === IS_VARIATION && parent === undefined) variations.push(change);
        else told.push(stated(change.write, outcomeOf(entry)));
      }
      return { told, next: variations.length > 0 ? [atTheirParents(session, variations, stated, call)] : [] };
    },
  };
};

const outcomeOf = (entry: WcBatchAnswer['update'][number] | undefined): Outcome => {
  if (!entry) return { kind: 'unknown', detail: 'not in the answer' };
  if (!entry.error) return { kind: 'written' };
  const { code, message } = entry.error;
  return { kind: 'refused', code: GONE.test(code) ? 'LISTING_GONE' : 'REFUSED', detail: message || code };
};

/**
 * What is not among the products: a search by SKU finds variations, too, and says whose they are.
 * `then` goes on with those that are found there.
 */
export const atTheirParents = <W extends { readonly sku: string }, R>(
  session: StockSession,
  changes: readonly Change<W>[],
  stated: (write: W, outcome: Outcome) => R,
  call: CallContext,
  then: (changes: readonly Change<W>[]) => WriteStep<W, R> = (some) =>
    batchUpdate(session, some, stated, call),
): WriteStep<W, R> => ({
  writes: changes.map(({ write }) => write),
  run: async () => {
    const found = await session.bySku([...new Set(changes.map(({ write }) => write.sku))], call);
    const told: R[] = [];
    const variations: Change<W>[] = [];
    for (const change of changes) {
      const parent = found.find(({ id }) => id === change.ref.id)?.parent_id;
      if (parent) variations.push({ ...change, ref: { id: change.ref.id, parent } });
      else {
        const detail = 'the shop has no such product';
        told.push(stated(change.write, { kind: 'refused', code: 'LISTING_GONE', detail }));
      }
    }
    return { told, next: byEndpoint(variations).map(then) };
  },
});
