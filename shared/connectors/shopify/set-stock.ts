import { inChunks } from '../../core/chunks.ts';
import { stableHash } from '../../core/content-hash.ts';
import { UnknownOutcomeError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { halves, runWrites, type WriteStep } from '../shop-writes.ts';
import type { StockRefusal, StockWrite, StockWritten } from '../stock-contract.ts';
import { answerNotUnderstood } from './graphql.ts';
import { manifest } from './manifest.ts';
import { activate, CHANGES_AT_ONCE, LEVELS_AT_ONCE, levels, SET_STOCK } from './stock-documents.ts';
import type { StockSession } from './stock-session.ts';
import { ChangesAnswer, LevelsAnswer, SetStockAnswer, ShopifyRef, type UserError } from './stock-wire.ts';

/** A write, and what it is called at Shopify. */
interface Entry {
  readonly write: StockWrite;
  readonly item: string;
  readonly locationId: string;
  /** It was listed as not sold from there: it is made sellable once its number is right. */
  readonly isInactive: boolean;
}
type Step = WriteStep<Entry, StockWritten>;

/** How often a batch is sent whose key Shopify has used up on a request that failed. */
const MAX_KEYS = 3;

const REFUSALS: Readonly<Record<string, StockRefusal>> = {
  INVALID_INVENTORY_ITEM: 'LISTING_GONE',
  INVALID_LOCATION: 'UNKNOWN_LOCATION',
  NON_MUTABLE_INVENTORY_ITEM: 'NOT_MUTABLE',
};
const STALE = ['CHANGE_FROM_QUANTITY_STALE', 'COMPARE_QUANTITY_STALE'];

/**
 * `available` in batches of 250, compared and set by Shopify itself. A batch with an error in it changes nothing (the published
 * schema: without an adjustment group nothing was adjusted), so the others are sent again without the culprit.
 */
export const setStock = async (
  session: StockSession,
  writes: readonly StockWrite[],
  call: CallContext,
): Promise<readonly StockWritten[]> => {
  const facts = await session.facts(call);
  const told: StockWritten[] = [];
  const entries: Entry[] = [];
  for (const write of writes) {
    const ref = ShopifyRef.safeParse(write.ref).data;
    const locationId = facts.locationId(write.location);
    if (!ref) told.push(refused(write, 'LISTING_GONE', 'it was never listed'));
    else if (!ref.tracked) told.push(refused(write, 'TRACKING_OFF', 'the variant is not tracked'));
    else if (!locationId) told.push(refused(write, 'UNKNOWN_LOCATION', `"${write.location}" is no location`));
    else entries.push({ write, item: ref.item, locationId, isInactive: !ref.active });
  }

  const step = (batch: readonly Entry[], keysUsed = 0): Step => ({
    writes: batch,
    run: async () => {
      const { data } = await session.ask(SET_STOCK, variablesOf(batch, keysUsed), SetStockAnswer, call);
      const { inventoryAdjustmentGroup: group, userErrors } = data.inventorySetQuantities;
      if (userErrors.length === 0) return written(batch);
      if (group) throw new UnknownOutcomeError('ANSWER_NOT_UNDERSTOOD', 'adjusted, and refused');
      const codes = userErrors.map(({ code }) => code);
      if (codes.includes('IDEMPOTENCY_CONCURRENT_REQUEST')) {
        throw new UnknownOutcomeError('BUSY', 'the same request is under way');
      }
      if (codes.includes('IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED') && keysUsed < MAX_KEYS) {
        return { told: [], next: [step(batch, keysUsed + 1)] };
      }
      return sorted(batch, userErrors);
    },
  });

  const written = (batch: readonly Entry[]) => ({
    told: batch.filter(({ isInactive }) => !isInactive).map(({ write }) => done(write)),
    next: inChunks(
      batch.filter(({ isInactive }) => isInactive),
      CHANGES_AT_ONCE,
    ).map(activation),
  });

  /** Those with an error by themselves; the others again, as nothing of the batch was set. */
  const sorted = (batch: readonly Entry[], userErrors: readonly UserError[]) => {
    const errors = new Map<Entry, UserError>();
    for (const error of userErrors) {
      const entry = batch.length === 1 ? batch[0] : batch[indexIn(error.field)];
      if (entry && !errors.has(entry)) errors.set(entry, error);
    }
    if (errors.size === 0) return { told: [], next: halves(batch).map((half) => step(half)) };
    const others = batch.filter((entry) => !errors.has(entry));
    const stale = batch.filter((entry) => STALE.includes(errors.get(entry)?.code ?? ''));
    return {
      told: [...errors].flatMap(([{ write }, { code, message }]) =>
        STALE.includes(code ?? '') ? [] : [refused(write, REFUSALS[code ?? ''] ?? 'REFUSED', message)],
      ),
      next: [
        ...(others.length > 0 ? [step(others)] : []),
        ...inChunks(stale, LEVELS_AT_ONCE).map((some): Step => comparison(some)),
      ],
    };
  };

  /** What stands there instead of what was expected. */
  const comparison = (batch: readonly Entry[]): Step => ({
    writes: batch,
    run: async () => {
      const variables = Object.fromEntries(
        batch.flatMap(({ item, locationId }, at) => [
          [`i${at}`, item],
          [`l${at}`, locationId],
        ]),
      );
      const { data } = await session.ask(levels(batch.length), variables, LevelsAnswer, call);
      return {
        told: batch.flatMap(({ write }, at): StockWritten[] => {
          const item = data[`i${at}`];
          if (!item) return [refused(write, 'LISTING_GONE', 'the shop has no such item')];
          const actual = item.inventoryLevel?.quantities[0]?.quantity ?? 0;
          // Back at what was expected since: left out, as nothing was sent for it.
          return actual === write.from ? [] : [{ ...place(write), kind: 'stale', actual }];
        }),
      };
    },
  });

  const activation = (batch: readonly Entry[]): Step => ({
    writes: batch,
    run: async () => {
      const variables = Object.fromEntries(
        batch.flatMap(({ write, item, locationId }, at) => [
          [`i${at}`, item],
          [`l${at}`, locationId],
          [`k${at}`, keyOf([write.key, 'activate'])],
        ]),
      );
      const { data } = await session.ask(activate(batch.length), variables, ChangesAnswer, call);
      return {
        told: batch.map(({ write }, at) => {
          const answer = data[`a${at}`];
          if (!answer) throw answerNotUnderstood(session.peer, 'an activation without an answer', {}, true);
          const [error] = answer.userErrors;
          return error ? refused(write, 'UNKNOWN_LOCATION', error.message) : done(write);
        }),
      };
    },
  });

  const batches = withoutPairs(entries, manifest.stock?.batch ?? 1);
  const sent = await runWrites<Entry, StockWritten>(
    batches.map((batch) => step(batch)),
    ({ write }, detail) => ({ ...place(write), kind: 'unknown', detail }),
  );
  return [...told, ...sent];
};

/** An item may stand in a batch once for each location (NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR). */
const withoutPairs = (entries: readonly Entry[], size: number): readonly (readonly Entry[])[] => {
  const batches: { readonly entries: Entry[]; readonly pairs: Set<string> }[] = [];
  for (const entry of entries) {
    const pair = `${entry.item} ${entry.locationId}`;
    let batch = batches.find(({ entries: some, pairs }) => some.length < size && !pairs.has(pair));
    if (!batch) {
      batch = { entries: [], pairs: new Set() };
      batches.push(batch);
    }
    batch.entries.push(entry);
    batch.pairs.add(pair);
  }
  return batches.map((batch) => batch.entries);
};

/** The same entries are the same request, so that its repetition is recognised by its key. */
const variablesOf = (batch: readonly Entry[], keysUsed: number) => {
  const quantities = batch.map(({ write, item, locationId }) => ({
    inventoryItemId: item,
    locationId,
    quantity: write.to,
    changeFromQuantity: write.from ?? null,
  }));
  const key = keyOf([batch.map(({ write }) => write.key), quantities, keysUsed]);
  const reference = `gid://waybill/StockSync/${key}`;
  return {
    key,
    input: { name: 'available', reason: 'correction', referenceDocumentUri: reference, quantities },
  };
};

/** Shopify advises UUIDs. */
const keyOf = (what: unknown): string =>
  stableHash(what).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const indexIn = (field: readonly string[] | null | undefined): number =>
  Number(field?.find((part) => /^\d+$/.test(part)) ?? -1);

const place = ({ sku, location }: StockWrite) => ({ sku, location });
const done = (write: StockWrite): StockWritten => ({ ...place(write), kind: 'written' });
const refused = (write: StockWrite, code: StockRefusal, detail: string): StockWritten => ({
  ...place(write),
  kind: 'refused',
  code,
  detail,
});
