/** One who sells, in pieces of its listing. */
export interface Holder {
  readonly id: string;
  readonly shop: string;
  /** Pieces of the stock in one piece of the listing. */
  readonly per: number;
  /** What it shows now, at most. */
  readonly held: number;
  /** What it can make use of. */
  readonly most: number;
  /** What it shows may be sold while it is overwritten: to show more, it needs what it shows once more. */
  readonly isSlow: boolean;
  /** Pieces sold in the last weeks: who sells most gets what cannot be divided. */
  readonly sold: number;
}

/** What these holders may show together, in pieces of the stock. */
export interface Limit {
  readonly of: ReadonlySet<string>;
  readonly pieces: number;
}

/**
 * Who shows how much of a stock that is divided, in pieces of each listing: never more than the limits, and together
 * as much as there is. What they hold stays where it is, and what is free goes to who has least. Only a shop that would have less
 * than half of an equal share, or nothing while another has more than one, makes all of it divided anew: pieces that wander
 * cannot be sold while they do.
 */
export const divide = (holders: readonly Holder[], limits: readonly Limit[]): ReadonlyMap<string, number> => {
  const fair = raised(holders, limits, new Map(holders.map(({ id }) => [id, 0])));
  const kept = raised(holders, limits, lowered(holders, limits));
  const shops = [...Map.groupBy(holders, ({ shop }) => shop).values()].map((those) => {
    const sum = (shares: Shares) => those.reduce((all, { id, per }) => all + (shares.get(id) ?? 0) * per, 0);
    return { kept: sum(kept), fair: sum(fair) };
  });
  const isSomeoneRich = shops.some((shop) => shop.kept > 1);
  return isSomeoneRich && shops.some((shop) => 2 * shop.kept < shop.fair) ? fair : kept;
};

type Shares = Map<string, number>;

const costOf = ({ isSlow, held, per }: Holder, share: number): number =>
  (share + (isSlow && share > held ? held : 0)) * per;

const used = (holders: readonly Holder[], { of }: Limit, shares: Shares): number =>
  holders.reduce((sum, each) => (of.has(each.id) ? sum + costOf(each, shares.get(each.id) ?? 0) : sum), 0);

/** What they hold, cut where it is more than there is: who holds most gives first. */
const lowered = (holders: readonly Holder[], limits: readonly Limit[]): Shares => {
  const shares: Shares = new Map(holders.map(({ id, held, most }) => [id, Math.min(held, most)]));
  for (const limit of limits) {
    for (;;) {
      const over = used(holders, limit, shares) - limit.pieces;
      if (over <= 0) break;
      const pieces = ({ id, per }: Holder) => (shares.get(id) ?? 0) * per;
      const [largest, second] = holders
        .filter((holder) => limit.of.has(holder.id) && pieces(holder) > 0)
        .sort((a, b) => pieces(b) - pieces(a) || a.sold - b.sold || (a.id < b.id ? 1 : -1));
      if (!largest) break;
      const lead = pieces(largest) - (second ? pieces(second) : 0);
      const cut = Math.max(1, Math.floor(Math.min(over, lead || 1) / largest.per));
      shares.set(largest.id, Math.max(0, (shares.get(largest.id) ?? 0) - cut));
    }
  }
  return shares;
};

/** With all that is free, given to who has least. */
const raised = (holders: readonly Holder[], limits: readonly Limit[], from: Shares): Shares => {
  const shares = new Map(from);
  const roomOf = ({ id }: Holder): number =>
    limits.reduce(
      (room, limit) =>
        limit.of.has(id) ? Math.min(room, limit.pieces - used(holders, limit, shares)) : room,
      Number.POSITIVE_INFINITY,
    );
  /** With one more of its listing: who sells packs of three comes after those who have fewer than three. */
  const pieces = ({ id, per }: Holder) => ((shares.get(id) ?? 0) + 1) * per;
  /** The most that it can be given. */
  const reachOf = (holder: Holder, room: number): number => {
    const { id, per, held, most, isSlow } = holder;
    const share = shares.get(id) ?? 0;
    const straight = share + Math.floor(room / per);
    if (!isSlow || straight <= held) return Math.min(most, straight);
    const beyond = straight - (share > held ? 0 : held);
    return Math.min(most, Math.max(share, Math.min(straight, held), beyond));
  };
  const ofShop = ({ shop }: Holder): number =>
    holders.reduce(
      (sum, each) => (each.shop === shop ? sum + (shares.get(each.id) ?? 0) * each.per : sum),
      0,
    );
  for (;;) {
    const open = holders
      .filter((holder) => reachOf(holder, roomOf(holder)) > (shares.get(holder.id) ?? 0))
      .sort(
        (a, b) => pieces(a) - pieces(b) || ofShop(a) - ofShop(b) || b.sold - a.sold || (a.id < b.id ? -1 : 1),
      );
    const [least, second] = open;
    if (!least) return shares;
    const room = roomOf(least);
    // Up to the next one; side by side, they take equal parts as long as there is enough for all.
    const lead = (second ? pieces(second) - pieces(least) : 0) || Number.POSITIVE_INFINITY;
    const share = shares.get(least.id) ?? 0;
    const more = Math.max(1, Math.floor(Math.min(lead, room / open.length) / least.per));
    shares.set(least.id, Math.min(share + more, reachOf(least, room)));
  }
};
