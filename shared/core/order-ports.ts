import type { ErpOrders, Mappings, PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderNotifiedV1 } from '../events/order-notified.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import type { Journal } from './journal.ts';
import type { OncePorts } from './once.ts';
import type { PaymentFacts } from './payment-facts.ts';

/** Which of our orders is which document at the peer, both ways. */
export interface Bindings {
  /** `externalId`: the order's; of a refund `<order id>/<refund id>`, of a payment `<order id>/<payment id>`. */
  put(
    destination: string,
    source: string,
    entity: 'order' | 'refund' | 'payment',
    externalId: string,
    document: PeerDocument,
  ): Promise<void>;
}

/** The way to the truth when two copies of one version differ. */
export interface Refetch {
  /** Storefront connections that can be asked; of all others, any copy of a version is as good as another. */
  readonly sources: ReadonlySet<string>;
  /** @throws when the bus did not take it */
  notify(event: Envelope<OrderNotifiedV1>): Promise<void>;
}

/** What an order needs on its way to one ERP. */
export interface PushOrderPorts extends OncePorts {
  /** Connection id of the ERP. */
  readonly destination: string;
  readonly routes: readonly OrderRoute[];
  readonly erp: ErpOrders;
  readonly mappings: Mappings;
  readonly bindings: Bindings;
  readonly journal: Journal;
  readonly refetch: Refetch;
  /** What payment providers told of an order. Undefined: none is connected to its storefront. */
  readonly paymentFacts?: ((order: OrderChangedV1) => Promise<readonly PaymentFacts[]>) | undefined;
}
