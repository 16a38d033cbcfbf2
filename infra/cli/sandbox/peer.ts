/** A server of `npm start` itself: real HTTP on this machine, with state of its own. */
interface SandboxPeer {
  /** Connection id in infra/stages/sandbox.ts. */
  readonly id: string;
  readonly url: string;
  /** As the connector's manifest asks for them. */
  readonly secrets: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** A shop with buyers. A further storefront is one file like woocommerce.ts, and one line in index.ts. */
export interface SandboxStorefront extends SandboxPeer {
  /** What it calls its taxes: each needs a mapping row at every ERP that it sells into. */
  readonly taxes: readonly SandboxTax[];
  /** Points its webhooks at us. */
  connect(webhookUrl: string): Promise<void>;
  /** Buyers order, at the shop's own doors. */
  placeOrders(): Promise<readonly PlacedOrder[]>;
  /** Sends every delivery once more. @returns how many that were */
  replay(): Promise<number>;
  /** Pieces of a SKU that buyers see. */
  shows(sku: string): number | undefined;
  /**
   * Pieces that the shop took off its own number and that no order of ours explains: they are shown again when
   * reconciliation has read that far, minutes after `--once` is over.
   */
  unexplained?(sku: string): number;
  /** A command line that sends a signed webhook; only where a signature does not expire. */
  curl?(webhookUrl: string): string;
}

export interface SandboxErp extends SandboxPeer {
  /** Pieces of a SKU that nobody has ordered, drafts included. */
  available(sku: string): number;
  /** Name of the tax of so many percent. */
  taxName(percent: number): string;
  /** The wires that it was spoken to over, as it saw them. */
  dialects(): readonly string[];
  /** In the order in which they were booked. */
  payments(): readonly BookedPayment[];
}

/** Takes the money for a shop. */
export interface SandboxProvider extends SandboxPeer {
  /** Points its webhooks at us. */
  connect(webhookUrl: string): void;
  /** The buyer of an order that is paid here pays. */
  take(order: PlacedOrder): void;
  /** Sends every delivery once more. @returns how many that were */
  replay(): Promise<number>;
}

/** What stands in an ERP's books. */
export interface BookedPayment {
  readonly direction: 'in' | 'out';
  readonly amount: string;
  readonly currency: string;
  /** At the payment provider. */
  readonly reference: string;
}

export interface SandboxTax {
  readonly key: string;
  readonly percent: number;
}

export interface PlacedOrder {
  readonly orderId: string;
  /** ignored: the route's policy wants none of it, and the ERP must not have it. */
  readonly expect: 'written' | 'ignored';
  /** At the payment provider of the sandbox: the payment's id there, and what was paid. */
  readonly paid?: { readonly reference: string; readonly currency: string; readonly total: string };
}
