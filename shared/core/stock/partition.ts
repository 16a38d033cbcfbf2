/** One who sells, in pieces of its listing. */
export interface Holder {
  readonly id: string;
  /** Pieces of the stock in one piece of the listing. */
  readonly per: number;
  /** What it shows now, at most. */
  readonly held: number;
  /** What it can make use of. */
  readonly most: number;
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
 * as much as there is. What they hold stays where it is, and what is free goes to who has least. Only who would have less
 * than half of an equal share, or nothing while another has more than one, makes all of it divided anew: pieces that wander
 * cannot be sold while they do.
 */
export const divide = (holders: readonly Holder[], limits: readonly Limit[]): ReadonlyMap<string, number> => {
  const fair = raised(holders, limits, new Map(holders.map(({ id }) => [id, 0])));
  const kept = raised(holders, limits, lowered(holders, limits));
  const isPoor = ({ id }: Holder) => 2 * (kept.get(id) ?? 0) < (fair.get(id) ?? 0);
  return holders.some(isPoor) ? fair : kept;
};

type Shares = Map<string, number>;

const used = (holders: readonly Holder[], { of }: Limit, shares: Shares): number =>
  holders.reduce((sum, { id, per }) => (of.has(id) ? sum + (shares.get(id) ?? 0) * per : sum), 0);

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
  const pieces = ({ id, per }: Holder) => (shares.get(id) ?? 0) * per;
  for (;;) {
    const open = holders
      .filter((holder) => (shares.get(holder.id) ?? 0) < holder.most && roomOf(holder) >= holder.per)
      .sort((a, b) => pieces(a) - pieces(b) || b.sold - a.sold || (a.id < b.id ? -1 : 1));
    const [least, second] = open;
    if (!least) return shares;
    const held = shares.get(least.id) ?? 0;
    // Up to the next one; side by side, they take equal parts as long as there is enough for all.
    const lead = second ? pieces(second) - pieces(least) : Number.POSITIVE_INFINITY;
    const part = Math.floor(roomOf(least) / open.length);
    const step = Math.max(least.per, Math.min(part, lead > 0 ? lead : part));
    const more = Math.max(1, Math.floor(step / least.per));
    shares.set(least.id, Math.min(held + more, least.most, held + Math.floor(roomOf(least) / least.per)));
  }
};
