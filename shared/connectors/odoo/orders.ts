import Big from 'big.js';
import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import { type Money, moneyFromDecimal, moneyRounded, moneyText, zero } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import type { CompletedOrder, ErpOrders, PeerDocument } from '../contract.ts';
import type { BoundedCache } from './bounded-cache.ts';
import type { OdooCall, OdooClient } from './client.ts';
import { Many2one, type MasterData } from './master-data.ts';
import { PAYMENT_PENDING, withPaymentPending } from './note.ts';
import { roundTo, toWire } from './orders.mapper.ts';
import type { OdooRefs } from './refs.ts';
import { type ResolvePorts, resolveOrder } from './resolve.ts';
import type { ExpectedLine, OdooOrderWire, SaleOrderLineVals, X2manyCommand } from './wire.ts';

export interface OdooOrdersOptions {
  readonly destination: string;
  readonly url: string;
  readonly client: OdooClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly resolve: ResolvePorts;
}

/** Orders as `sale.order`. The same for every dialect: only verbs of `OdooClient` are used. */
export const odooOrders = (options: OdooOrdersOptions): ErpOrders<OdooRefs, OdooOrderWire> => {
  const { destination, client, master, cache } = options;

  const document = (id: number, name?: string): PeerDocument => ({
    id: String(id),
    name,
    // 18 leads this address on to /odoo/sales/<id>.
    url: `${options.url}/web#id=${id}&model=sale.order&view_type=form`,
  });

  /** What somebody must mend in Odoo may be what we remember: forget it, the next attempt asks again. */
  const forgetting = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PermanentError) cache.clear();
      throw error;
    }
  };

  return {
    resolve: (order, context) => forgetting(() => resolveOrder(options.resolve, order, context)),

    toWire,

    find: async (reference, route, { signal }) => {
      const companyId =
        route.company === undefined ? undefined : (await master.company(route.company, { signal })).id;
      const found = await client.searchRead(
        'sale.order',
        {
          domain: [
            ['client_order_ref', '=', reference],
            ...(companyId === undefined ? [] : [['company_id', '=', companyId] as const]),
          ],
          fields: ['name', 'state'],
          order: 'id asc',
        },
        Found,
        inCompany(signal, companyId),
      );
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && document(found[0].id, found[0].name);
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        if (wire.vals.partner_id === undefined) {
          throw new RetryableError('CUSTOMER_UNRESOLVED', 'the order was mapped without a customer');
        }
        const call = callOf(wire, signal);
        const quiet = { ...call, context: { ...call.context, mail_create_nosubscribe: true } };
        const id = await client.create('sale.order', wire.vals, { what: 'create-order' }, quiet);
        // Written: a name that cannot be read now must not look like a failed write.
        const [named] = await client
          .read('sale.order', [id], ['name'], Named, call)
          .catch((): z.infer<typeof Named>[] => []);
        return document(id, named?.name);
      }),

    complete: (doc, wire, level, { signal }) =>
      forgetting(() => complete(options, document, doc, wire, level, { signal })),
  };
};

const inCompany = (signal: AbortSignal, companyId: number | undefined): OdooCall => ({
  signal,
  ...(companyId !== undefined && { context: { allowed_company_ids: [companyId] } }),
});
const callOf = (wire: OdooOrderWire, signal: AbortSignal): OdooCall =>
  inCompany(signal, wire.companyChosen ? wire.companyId : undefined);

type Level = 'draft' | 'reserve' | 'confirm';

const complete = async (
  { client, destination }: OdooOrdersOptions,
  document: (id: number, name?: string) => PeerDocument,
  doc: PeerDocument,
  wire: OdooOrderWire,
  level: Level,
  { signal }: CallContext,
): Promise<CompletedOrder> => {
  const call = callOf(wire, signal);
  const id = Number(doc.id);
  const warnings: string[] = [];

  const readOrder = async (): Promise<SaleOrder> => {
    const [order] = await client.read('sale.order', [id], ORDER_FIELDS, SaleOrder, call);
    if (order && order.state !== 'cancel') return order;
    throw new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: order?.name ?? doc.name ?? `sale.order ${doc.id}`,
    });
  };
  const readLines = async (): Promise<SaleOrderLine[]> => {
    const lines = await client.searchRead(
      'sale.order.line',
      {
        domain: [['order_id', '=', id]],
        fields: [...LINE_FIELDS, wire.taxField],
        order: 'sequence asc, id asc',
      },
      SaleOrderLine,
      call,
    );
    // Sections and notes that staff added carry no amount.
    return lines.filter(({ display_type }) => !display_type);
  };
  const write = (vals: object, operation: ErpOperation) =>
    client.write('sale.order', [id], vals, operation, call);

  let order = await readOrder();
  let matched = matchLines(await readLines(), wire);

  if (isOpen(order)) {
    if (!matched.same || currencyId(order) !== wire.expected.currency.id) {
      // Written with an older mapping, by an attempt of ours that was never completed.
      const { pricelist_id } = wire.vals;
      const commands: X2manyCommand[] = [[5, 0, 0], ...wire.vals.order_line];
      await write(
        { ...(pricelist_id !== undefined && { pricelist_id }), order_line: commands },
        { what: 'rewrite-draft' },
      );
      order = await readOrder();
      // Modules may have changed what we wrote: from here only the total counts.
      matched = matchLines(await readLines(), wire);
    }
    if (currencyId(order) !== wire.expected.currency.id) {
      throw new PermanentError('UNMAPPED_CURRENCY', {
        currency: wire.expected.currency.code,
        destination,
      });
    }
    const command = roundingCommand(order, matched, wire);
    if (command) {
      await write({ order_line: [command] }, { what: 'book-rounding' });
      order = await readOrder();
      matched = matchLines(await readLines(), wire);
    }
    if (!amountOf(order).eq(wire.expected.erpTotal)) throw totalMismatch(order, matched, wire);
    if (level !== 'draft') order = await confirm();
  } else {
    const gap = amountOf(order).minus(wire.expected.erpTotal).abs();
    if (gap.gt(wire.expected.tolerance)) throw totalMismatch(order, matched, wire);
    if (gap.gt(0))
      warnings.push(`${order.name} was confirmed by hand, ${gap.toFixed()} off the shop's total.`);
  }
  if (level !== 'draft' && !isOpen(order)) await afterConfirmation();

  const total = moneyRounded(String(order.amount_total), wire.expected.currency.code);
  if (!amountOf(order).eq(wire.expected.total)) {
    const shop = moneyText(moneyFromDecimal(wire.expected.total, wire.expected.currency.code));
    warnings.push(`The shop charged ${shop}, ${order.name} says ${moneyText(total)}.`);
  }
  return { ...document(id, order.name), total, rounding: roundingOf(matched, wire), warnings };

  async function confirm(): Promise<SaleOrder> {
    if (level === 'reserve' && !order.note.includes(PAYMENT_PENDING)) {
      await write({ note: withPaymentPending(order.note, true) }, { what: 'note-payment-pending' });
    }
    try {
      await client.act(
        'sale.order',
        'action_confirm',
        [id],
        { what: 'confirm-order', document: order.name },
        call,
      );
    } catch (error) {
      // Confirmed by somebody else in this moment: Odoo raises, and the state says so.
      const now = error instanceof PermanentError ? await readOrder() : undefined;
      if (!now || isOpen(now)) throw error;
      return now;
    }
    const confirmed = await readOrder();
    if (!isOpen(confirmed)) return confirmed;
    throw new PermanentError('ERP_REFUSED', {
      destination,
      operation: { what: 'confirm-order', document: order.name },
      error: { why: 'asked-a-question' },
    });
  }

  /** Confirming sets `date_order` to now (observed on 16 to 18): the buyer's date is put back. */
  async function afterConfirmation(): Promise<void> {
    if (!CONFIRMED.has(order.state)) {
      warnings.push(`${order.name} waits in state "${order.state}": Odoo has not confirmed it yet.`);
    }
    const vals = {
      ...(order.date_order !== wire.vals.date_order && { date_order: wire.vals.date_order }),
      ...(level === 'confirm' &&
        order.note.includes(PAYMENT_PENDING) && { note: withPaymentPending(order.note, false) }),
    };
    if (Object.keys(vals).length === 0) return;
    try {
      await write(vals, { what: 'restore-order-date', document: order.name });
    } catch (error) {
      // The order is in and confirmed: its date alone must not park it.
      if (!(error instanceof PermanentError)) throw error;
      warnings.push(`${destination} refused to restore the order date of ${order.name}.`);
    }
  }
};

/** `done` is a locked order up to 16. Approval modules add states of their own: those are no draft any more. */
const CONFIRMED: ReadonlySet<string> = new Set(['sale', 'done']);
const isOpen = ({ state }: SaleOrder): boolean => state === 'draft' || state === 'sent';

interface Matched {
  /** Odoo's lines are those of the wire. */
  readonly same: boolean;
  /** Odoo's line for each line of the wire, in its order; as far as can be told when they are not the same. */
  readonly lines: readonly SaleOrderLine[];
  /** The rounding line that we booked, if there is one. */
  readonly rounding: SaleOrderLine | undefined;
}

/** Finds Odoo's line for each line of the wire, whatever their order. */
const matchLines = (lines: readonly SaleOrderLine[], wire: OdooOrderWire): Matched => {
  const expected = wire.vals.order_line;
  const different: Matched = {
    same: false,
    lines: lines.length === expected.length ? lines : [],
    rounding: lines.find((line) => isRounding(line, wire)),
  };
  const left = [...lines];
  const found: SaleOrderLine[] = [];
  for (const [, , vals] of expected) {
    const index = left.findIndex((line) => sameLine(line, vals, wire.taxField));
    const line = left[index];
    if (!line) return different;
    left.splice(index, 1);
    found.push(line);
  }
  const [rounding, ...others] = left;
  if (others.length > 0 || (rounding && !isRounding(rounding, wire))) return different;
  return { same: true, lines: found, rounding };
};

const isRounding = (line: SaleOrderLine, wire: OdooOrderWire): boolean =>
  line.product_id !== false &&
  line.product_id[0] === wire.rounding.productId &&
  taxIds(line, wire.taxField).length === 0;

const sameLine = (line: SaleOrderLine, vals: SaleOrderLineVals, taxField: 'tax_id' | 'tax_ids'): boolean =>
  line.product_id !== false &&
  line.product_id[0] === vals.product_id &&
  sameNumber(line.product_uom_qty, vals.product_uom_qty) &&
  sameNumber(line.price_unit, vals.price_unit) &&
  sameNumber(line.discount, vals.discount) &&
  String(taxIds(line, taxField)) === String(vals[taxField]?.[0]?.[2] ?? []);

/** Odoo stores floats. */
const sameNumber = (a: number, b: number): boolean => new Big(a).minus(b).abs().lt('0.0000001');

const taxIds = (line: SaleOrderLine, taxField: 'tax_id' | 'tax_ids'): readonly number[] =>
  [...(line[taxField] ?? [])].sort((a, b) => a - b);

/** The float that Odoo sends, as the decimal in its currency's unit that it stands for. */
const amountOf = (order: SaleOrder): Big => new Big(order.amount_total).round(6);
const currencyId = ({ currency_id }: SaleOrder) => currency_id !== false && currency_id[0];

/**
 * What makes the total right: one untaxed rounding line, made, changed or removed; undefined when it is right.
 * @throws PermanentError TOTAL_MISMATCH beyond tolerance, MISSING_SERVICE_PRODUCT
 */
const roundingCommand = (
  order: SaleOrder,
  matched: Matched,
  wire: OdooOrderWire,
): X2manyCommand | undefined => {
  const { rounding } = matched;
  const booked = new Big(rounding?.price_total ?? 0);
  const needed = roundTo(
    new Big(wire.expected.erpTotal).minus(amountOf(order)).plus(booked),
    new Big(wire.expected.currency.rounding),
  );
  if (needed.abs().gt(wire.expected.tolerance)) throw totalMismatch(order, matched, wire);
  if (needed.eq(booked)) return undefined;
  if (rounding) {
    return needed.eq(0)
      ? [2, rounding.id, 0]
      : [1, rounding.id, { product_uom_qty: 1, price_unit: needed.toNumber(), discount: 0 }];
  }
  const { productId, sku } = wire.rounding;
  if (productId === undefined) {
    throw new PermanentError('MISSING_SERVICE_PRODUCT', {
      purpose: 'rounding',
      sku,
      destination: wire.destination,
    });
  }
  return [
    0,
    0,
    {
      product_id: productId,
      name: 'Rounding',
      product_uom_qty: 1,
      price_unit: needed.toNumber(),
      discount: 0,
      [wire.taxField]: [[6, 0, []]],
    },
  ];
};

const roundingOf = (matched: Matched, wire: OdooOrderWire): Money => {
  const { code } = wire.expected.currency;
  return matched.rounding ? moneyRounded(String(matched.rounding.price_total), code) : zero(code);
};

const totalMismatch = (
  order: SaleOrder,
  matched: Matched,
  { expected, lines }: OdooOrderWire,
): PermanentError => {
  const { code } = expected.currency;
  const text = (amount: Big) => moneyText(moneyRounded(amount, code));
  const gaps = matched.lines
    .map((line, index) => ({ line: lines[index], gap: gapOf(line, lines[index]) }))
    .sort((a, b) => b.gap.cmp(a.gap));
  const worst = gaps[0]?.gap.gt(0) ? gaps[0].line?.label : undefined;
  return new PermanentError('TOTAL_MISMATCH', {
    ...(worst && { line: worst }),
    shop: moneyText(moneyFromDecimal(expected.total, code)),
    erp: text(amountOf(order)),
    difference: text(amountOf(order).minus(expected.erpTotal).abs()),
    tolerance: text(new Big(expected.tolerance)),
  });
};

const gapOf = (line: SaleOrderLine, expected: ExpectedLine | undefined): Big =>
  expected
    ? new Big(line.price_subtotal).plus(line.price_tax).minus(expected.net).minus(expected.tax).abs()
    : new Big(0);

const ORDER_FIELDS = ['name', 'state', 'amount_total', 'currency_id', 'date_order', 'note'] as const;
const LINE_FIELDS = [
  'product_id',
  'product_uom_qty',
  'price_unit',
  'discount',
  'price_subtotal',
  'price_tax',
  'price_total',
  'display_type',
] as const;

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Named = z.looseObject({ id: z.int(), name: text });
const Found = z.looseObject({ id: z.int(), name: text, state: z.string() });
const SaleOrder = z.looseObject({
  id: z.int(),
  name: text,
  state: z.string(),
  amount_total: z.number(),
  currency_id: Many2one,
  date_order: text,
  note: text,
});
type SaleOrder = z.infer<typeof SaleOrder>;
const SaleOrderLine = z.looseObject({
  id: z.int(),
  product_id: Many2one,
  product_uom_qty: z.number(),
  price_unit: z.number(),
  discount: z.number(),
  price_subtotal: z.number(),
  price_tax: z.number(),
  price_total: z.number(),
  display_type: z.union([z.string(), z.literal(false)]),
  tax_id: z.array(z.int()).optional(),
  tax_ids: z.array(z.int()).optional(),
});
type SaleOrderLine = z.infer<typeof SaleOrderLine>;
