/**
 * A stage, with everything that can be said of it. Copy it to <name>.ts, keep what you need, then
 *
 *   npx cdk diff   -c stage=<name>
 *   npx cdk deploy -c stage=<name> --all
 *
 * What is left out has the default that stands here. Unknown keys, missing values, routes that lead nowhere: all
 * are refused together, each with its place and what to do. The same settings can be written as <name>.json.
 */
import { settings } from '../settings.ts';

export default settings({
  /** Small letters, digits, hyphens, at most 20. In the names of stacks and secrets; a new name is a new system. */
  name: 'example',

  region: 'ap-southeast-1',

  /** Where the company's days begin and end (IANA). */
  timeZone: 'Asia/Taipei',

  /**
   * Every account at a storefront or an ERP, by an id of your choice (small letters, digits, hyphens, at most 32).
   * The id is part of every record that Waybill keeps: it must never change or be given to another account.
   * Credentials are not here: they lie in Secrets Manager, see README.md.
   */
  connections: {
    'acme-woo': {
      connector: 'woocommerce',
      url: 'https://shop.acme.example',
      /** Order meta keys that hold the buyer's tax number: plug-ins differ. Default: the keys of the usual ones. */
      taxNumberKeys: ['_billing_vat_number'],
      /** What order statuses mean that plug-ins added: pending, on-hold, open, completed or cancelled. Default: {} */
      statuses: { 'ready-to-ship': 'open' },
    },
    'acme-shopify': {
      connector: 'shopify',
      /** The shop's own domain; a custom domain is another thing. */
      shop: 'acme.myshopify.com',
      /** What manual payment methods mean, by their names: online, cash-on-delivery, bank-transfer or other. Default: {} */
      paymentKinds: { 貨到付款: 'cash-on-delivery' },
      /** What an authorised payment counts as: "paid" for shops that capture when they ship. Default: pending */
      authorized: 'pending',
      /** Order attributes that apps keep the buyer's tax number and wished day in. Default: those of the usual apps. */
      taxNumberKeys: ['vat_number'],
      deliveryDateKeys: ['Delivery Date'],
    },
    /** A site of your own that signs as Standard Webhooks asks; `url` is where it offers its orders for reading. */
    'acme-site': { connector: 'custom-store', url: 'https://www.acme.example/api/waybill' },
    'acme-woo-eu': { connector: 'woocommerce', url: 'https://eu.acme.example' },
    'acme-odoo': {
      connector: 'odoo',
      url: 'https://erp.acme.example',
      database: 'acme',
      /** SKUs of the service products that carry amounts without goods. These are the defaults. */
      products: { shipping: 'SHIP', fee: 'FEE', discount: 'DISCOUNT', rounding: 'ROUNDING' },
    },
    'acme-tryton': {
      connector: 'tryton',
      url: 'https://tryton.acme.example',
      database: 'acme',
      /** Codes of the service products that carry amounts without goods. These are the defaults. */
      products: { shipping: 'SHIP', fee: 'FEE', rounding: 'ROUNDING' },
    },
    'acme-stripe': {
      connector: 'stripe',
      /** Connect only: the connected account whose payments are meant. Default: the key's own */
      account: 'acct_1234567890abcdef',
      /** Metadata keys that hold the shop's id or number of the order; the first one counts. Default: order_id */
      orderKeys: ['order_id'],
      /** Buyers pay at Stripe Checkout: its session names the order, too. Default: false */
      checkout: false,
    },
  },

  /** Which storefront sells into which ERP. One storefront may have several routes, each to another ERP. */
  orders: [
    {
      from: 'acme-woo',
      to: 'acme-odoo',

      /**
       * live: orders are written. shadow: everything runs but nothing is written to the ERP, and what would have been
       * written is recorded. off: nothing runs. Default: live. Begin with shadow.
       */
      mode: 'live',

      /**
       * The cut-over, with its zone. An order placed earlier is never created by Waybill, however it is found. From shadow
       * to live: move it to that hour in the same deployment, or what people typed in meanwhile may be written again.
       */
      startAt: '2026-12-01T00:00:00+08:00',

      /**
       * How far an order is taken, by the state of its payment: ignore, draft, reserve (stock is held, nobody ships)
       * or confirm. Unpaid and failed orders never count.
       */
      accept: {
        paid: 'confirm', //                default: confirm
        cashOnDelivery: 'confirm', //      default: confirm
        bankTransferPending: 'draft', //   default: ignore
        onHold: 'reserve', //              default: ignore
        test: 'ignore', //                 default: ignore
      },

      /**
       * How often the shop is asked for orders whose webhook was lost: 1 minute, 5, 15, 30 or 60 minutes, off. Needs a
       * key for reading. Of several routes from one shop the shortest counts. Default: 15 minutes
       */
      reconcile: '15 minutes',

      /** Company in the ERP: id, or exact name. Default: the company of the user that the credentials belong to. */
      company: 1,

      /** Warehouse code in the ERP. Default: the company's own default. */
      warehouse: 'WH',

      /** per-buyer: found by our key or mail, else created. { collective: '<reference>' }: one for the channel. */
      customers: 'per-buyer',

      /**
       * What the shop does to an order that the ERP holds already. park: it waits for a person, who does it by hand.
       * Staff win in any case: what people changed in the ERP is never overwritten. See shared/docs/flows/orders.md.
       */
      edits: 'apply', //            apply (default) or park
      cancellations: 'cancel', //   cancel (default) or park
      refunds: 'credit-note', //    credit-note (default), draft-credit-note: an accountant posts it, or park

      /**
       * Rounding units of the ERP's currency, per order line, that may be booked on a rounding line. More than that
       * parks the order. Default: 1, because each line can be off by one unit when ERP and shop round differently.
       */
      roundingTolerance: 1,
    },
    { from: 'acme-shopify', to: 'acme-odoo', startAt: '2026-12-01T00:00:00+08:00', currency: 'buyer' },
    { from: 'acme-site', to: 'acme-odoo', startAt: '2026-12-01T00:00:00+08:00' },
    { from: 'acme-site', to: 'acme-tryton', startAt: '2026-12-01T00:00:00+08:00' },
    {
      from: 'acme-woo-eu',
      to: 'acme-odoo',
      mode: 'shadow',
      startAt: '2027-01-01T00:00:00+01:00',
      customers: { collective: 'WEB-EU' },
    },
  ],

  /**
   * Which payment provider takes the money for which shops: what it says of a payment (amount, date, fee) is booked where
   * the shop's orders are, if their route says `payments: 'book'`. Default: none, and the shop alone states payments.
   */
  payments: [
    {
      from: 'acme-stripe',
      orders: ['acme-woo'],
      /**
       * What a payment's word for its order (metadata order_id) is in the shop: either its id or its number, id, number or
       * none. Counts only where one shop is named: two shops may number their orders alike. Default: either
       */
      hint: 'number',
    },
  ],

  /** Gets every alarm; confirm the two mails that SNS sends after the first deployment. Default: nobody is told. */
  alarms: { email: 'oncall@acme.example' },

  /** Laptop only: multiplies every waiting time. Below 1, `cdk deploy` refuses. Default: 1 */
  timeScale: 1,

  limits: {
    /**
     * Largest webhook, bytes; larger ones are answered 413. Default and maximum 700,000: one that is not understood is
     * kept as base64 (4/3 of its size) in a queue message, and a message holds 1 MiB.
     */
    maxBodyBytes: 700_000,
    /** How far back events can be replayed. At most 14 days: they name buyers, and single events cannot be deleted. */
    archiveDays: 14,
  },
});
