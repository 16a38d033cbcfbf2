/**
 * Names that infrastructure and functions must agree on. Both import them from here: a rename is a compile
 * error, never a silent alarm.
 */
export const METRICS_NAMESPACE = 'Waybill';

/** Metrics: PascalCase nouns; dimensions `connection` and, where it says so, `reason`. */
export const METRICS = {
  /** Webhooks by what became of them; dimension `reason` is their code. */
  webhooksAccepted: 'WebhooksAccepted',
  webhooksRejected: 'WebhooksRejected',
  webhooksIgnored: 'WebhooksIgnored',
  webhooksQuarantined: 'WebhooksQuarantined',
  /** Orders read at their storefront, because a push said too little or two copies of one version differed. */
  ordersFetched: 'OrdersFetched',
  /** Payments read at their provider; notices about a dispute. */
  paymentsFetched: 'PaymentsFetched',
  paymentsDisputed: 'PaymentsDisputed',
  /** Runs of the reconciliation that got somewhere. */
  reconciliationRuns: 'ReconciliationRuns',
  /** Orders, or changes of them, that the storefront's list told of and nothing had brought: webhooks that were lost. */
  ordersFoundByReconciliation: 'OrdersFoundByReconciliation',
  /** Runs of the sweep; orders that it published again, because they were unfinished for longer than queues remember. */
  sweepRuns: 'SweepRuns',
  ordersSwept: 'OrdersSwept',
  /** Runs of the daily check; orders that the ledger calls finished and the ERP has no more. */
  checkRuns: 'CheckRuns',
  ordersMissingInErp: 'OrdersMissingInErp',
  /** Runs of the shadow report; orders that would have been written as people entered them, otherwise, or parked. */
  shadowRuns: 'ShadowRuns',
  shadowIdentical: 'ShadowIdentical',
  shadowDifferent: 'ShadowDifferent',
  shadowUnmapped: 'ShadowUnmapped',
  /** Orders written to an ERP, found there by look-up, skipped with a reason, parked with a code. */
  ordersWritten: 'OrdersWritten',
  ordersRecovered: 'OrdersRecovered',
  ordersSkipped: 'OrdersSkipped',
  ordersParked: 'OrdersParked',
  roundingBooked: 'RoundingBooked',
  credentialsRefused: 'CredentialsRefused',
  /** Runs of a connection's controller that got somewhere. */
  connectionChecks: 'ConnectionChecks',
  /** 1 while the controller has paused the connection, else 0; what a person has paused is 0. */
  connectionPaused: 'ConnectionPaused',
  /** Runs of the stock poll that got somewhere; 1 while a cycle is held for a person to approve, else 0. */
  stockPolls: 'StockPolls',
  stockHeld: 'StockHeld',
  /** Values written to a shop, refused by it (dimension `reason`), found to be others than we knew. */
  stockWritten: 'StockWritten',
  stockRefused: 'StockRefused',
  stockStale: 'StockStale',
  /** Prices written to a shop, refused (dimension `reason`), and held for a person to approve. */
  pricesWritten: 'PricesWritten',
  pricesRefused: 'PricesRefused',
  pricesHeld: 'PricesHeld',
  /** A sale, or the ERP's change, to the shop's acknowledgement, milliseconds. */
  stockLagMs: 'StockLagMs',
  /** Runs that read what a shop sells; SKUs there that the ERP does not have. */
  listingRuns: 'ListingRuns',
  skusUnknown: 'SkusUnknown',
  /** SKUs that fell below their level since the last run. */
  lowStock: 'LowStock',
  /** Runs of the audit; differences between an ERP and its shops (dimension `reason`: the cause), and those without an explanation. */
  auditRuns: 'AuditRuns',
  auditDifferences: 'AuditDifferences',
  auditUnexplained: 'AuditUnexplained',
  /** Storefront's change to ERP's document, milliseconds. */
  webhookToErpMs: 'WebhookToErpMs',
} as const;
export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** Environment of the functions. No secret is ever among them: functions read Secrets Manager by `secretId`. */
export const ENV = {
  /** Connection id that the function serves. */
  connection: 'WAYBILL_CONNECTION',
  /** JSON: the slice of the settings that the function needs, see functions/<name>/env.ts. */
  settings: 'WAYBILL_SETTINGS',
  secretId: 'WAYBILL_SECRET_ID',
  eventBus: 'WAYBILL_EVENT_BUS',
  quarantineQueueUrl: 'WAYBILL_QUARANTINE_QUEUE_URL',
  queueUrl: 'WAYBILL_QUEUE_URL',
  parkedQueueUrl: 'WAYBILL_PARKED_QUEUE_URL',
  ledgerTable: 'WAYBILL_LEDGER_TABLE',
  bindingsTable: 'WAYBILL_BINDINGS_TABLE',
  journalTable: 'WAYBILL_JOURNAL_TABLE',
  mappingsTable: 'WAYBILL_MAPPINGS_TABLE',
  parkedTable: 'WAYBILL_PARKED_TABLE',
  cursorsTable: 'WAYBILL_CURSORS_TABLE',
  connectionsTable: 'WAYBILL_CONNECTIONS_TABLE',
  paymentsTable: 'WAYBILL_PAYMENTS_TABLE',
  stockTable: 'WAYBILL_STOCK_TABLE',
  reportsTable: 'WAYBILL_REPORTS_TABLE',
  /** UUID of the event source mapping between a connection's queue and its consumer. */
  eventSource: 'WAYBILL_EVENT_SOURCE',
  /** Milliseconds a claim lives: longer than the function may, plus the peer's settle time. */
  leaseMs: 'WAYBILL_LEASE_MS',
  /** Multiplies every waiting time; 1 in production, less on a laptop. */
  timeScale: 'WAYBILL_TIME_SCALE',
} as const;

/** Index of the order journal that lists unfinished orders: key `openFor` (destination), range `openSinceMs`. */
export const JOURNAL_OPEN_INDEX = 'open';

/** What the recorder is called where others carry the name of a connection; no connection may have this id. */
export const JOURNAL = 'journal';

/** What is in a queue of a connection. */
export type QueueConcern = 'orders' | 'stock' | 'stock-read';

/** What a queue is called in the index of parked messages: orders are the connection itself. */
export const queueId = (connection: string, concern: QueueConcern): string =>
  concern === 'orders' ? connection : `${connection}/${concern}`;
