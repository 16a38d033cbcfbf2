import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';
import type { World } from '../scheduler.ts';
import type { Measure, Taken } from './measure.ts';
import type { Attempt, Later, News } from './plan.ts';
import type { SimulatedShop } from './shop.ts';

/** One state of an order in its shop. */
export interface Version {
  readonly attempt: Attempt;
  readonly order: OrderChangedV1;
  readonly committedMs: number;
  /** What it takes beyond the version before, or puts back on sale. */
  readonly taken?: Taken | undefined;
  readonly news: News;
}

const BASE = anOrder();
const [LINE] = BASE.lines;

/** The buyers: they buy what a shop shows, and change their minds. */
export const playSales = (
  world: World,
  attempts: readonly Attempt[],
  shops: ReadonlyMap<string, SimulatedShop>,
  measure: Measure,
  nowMs: () => number,
  onVersion: (version: Version) => void,
): void => {
  for (const attempt of attempts) world.later(attempt.atMs, () => buy(attempt));

  function buy(attempt: Attempt): void {
    const shop = shops.get(attempt.shop);
    const shown = shop?.shown.get(attempt.listing) ?? 0;
    if (!shop || shown < attempt.pieces) return;
    shop.shown.set(attempt.listing, shown - attempt.pieces);
    world.tell(
      `${attempt.shop} sells ${attempt.pieces} ${attempt.listing} (${attempt.kind} ${attempt.id}), shows ${shown - attempt.pieces}`,
    );
    // A test order is no sale: its pieces are put back on sale sooner or later.
    const taken =
      attempt.kind === 'test' ? undefined : measure.take(attempt.shop, attempt.listing, attempt.pieces);
    const placedMs = Math.floor((nowMs() + shop.plan.skewMs) / 1000) * 1000;
    const tell = (
      version: number,
      pieces: number,
      isOpen: boolean,
      isPaid: boolean,
      rest: Pick<Version, 'news' | 'taken'>,
    ) =>
      onVersion({
        attempt,
        committedMs: world.nowMs(),
        order: snapshot(attempt, placedMs, version, pieces, isOpen, isPaid),
        ...rest,
      });
    tell(1, attempt.pieces, true, attempt.kind !== 'transfer', { news: attempt.news, taken });
    const { change: later } = attempt;
    if (later) world.later(later.afterMs, () => change(shop, attempt, later, tell));
  }

  function change(
    shop: SimulatedShop,
    { listing, pieces, kind, id }: Attempt,
    { does, news }: Later,
    tell: (
      version: number,
      pieces: number,
      isOpen: boolean,
      isPaid: boolean,
      rest: Pick<Version, 'news' | 'taken'>,
    ) => void,
  ): void {
    const shown = shop.shown.get(listing) ?? 0;
    const isPaid = kind !== 'transfer';
    world.tell(`${shop.plan.name}: ${id} ${does}`);
    if (does === 'touch') {
      tell(2, pieces, true, true, { news });
      return;
    }
    if (does === 'cancel' || does === 'cancel-without-restock') {
      if (does === 'cancel') shop.shown.set(listing, shown + pieces);
      const returned = measure.giveBack(shop.plan.name, listing, pieces);
      tell(2, pieces, false, isPaid, { news, taken: does === 'cancel' ? returned : undefined });
      return;
    }
    if (does === 'one-less') {
      if (pieces < 2) return;
      shop.shown.set(listing, shown + 1);
      const returned = measure.giveBack(shop.plan.name, listing, 1);
      tell(2, pieces - 1, true, isPaid, { news, taken: returned });
      return;
    }
    if (shown < 1) return;
    shop.shown.set(listing, shown - 1);
    const taken = measure.take(shop.plan.name, listing, 1);
    tell(2, pieces + 1, true, isPaid, { news, taken });
  }
};

const snapshot = (
  { id, shop, listing, kind }: Attempt,
  placedMs: number,
  version: number,
  quantity: number,
  isOpen: boolean,
  isPaid: boolean,
): OrderChangedV1 => ({
  ...BASE,
  source: shop,
  orderId: id,
  orderNumber: id,
  sourceVersion: version,
  contentHash: `${version}`,
  placedAt: new Date(placedMs).toISOString(),
  status: isOpen ? 'open' : 'cancelled',
  test: kind === 'test',
  payment: isPaid
    ? { state: 'paid', kind: 'online', method: 'card' }
    : { state: 'pending', kind: 'bank-transfer', method: 'transfer' },
  lines: LINE ? [{ ...LINE, sku: listing, quantity }] : [],
});

export const envelope = <D>(data: D, id: string, nowMs: number): Envelope<D> => ({
  meta: { id, connection: 'simulated', correlationId: id, receivedAtMs: nowMs, via: 'webhook' },
  data,
});
