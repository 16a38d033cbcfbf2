import Big from 'big.js';
import { PermanentError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText, zero } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import type { LineLabel } from '../../core/reasons.ts';
import type { CompletedOrder, PeerDocument } from '../contract.ts';
import {
  type Amendment,
  amendmentName,
  amendSale,
  hasAmendments,
  lineChanges,
  openAmendment,
} from './amend-sale.ts';
import { PAYMENT_PENDING, withPaymentPending } from './comment.ts';
import { confirmSale } from './confirm-sale.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { isRounding, roundingLine, totalMismatch } from './rounding.ts';
import {
  commentText,
  contentIn,
  contentOf,
  editedInErp,
  fingerprintOf,
  isCancelled,
  isOpen,
  liveLines,
  nameOf,
  readSale,
  type Sale,
  type SaleLine,
  sameLine,
  saysHeader,
  tooLate,
  tooLateFor,
} from './sale.ts';
import type { SaleLineValues, TrytonOrderWire } from './wire.ts';

type Level = 'draft' | 'reserve' | 'confirm';

/**
 * Brings a `sale.sale` to what `wire` says and to `level`. Everything is read first, so that it can be done again.
 * `asLeft`: the fingerprint of our last completion, see `ErpOrders.complete`.
 */
export const completeOrder = async (
  options: TrytonOrdersOptions,
  doc: PeerDocument,
  wire: TrytonOrderWire,
  level: Level,
  asLeft: string | undefined,
  { signal }: CallContext,
): Promise<CompletedOrder> => {
  const { client, cache, destination } = options;
  const call = inCompany(signal, wire.companyId);
  const id = Number(doc.id);
  const warnings: string[] = [];
  const { code } = wire.expected.currency;
  const shopTotal = moneyText(moneyFromDecimal(wire.expected.total, code));
  const isChange = asLeft !== undefined;
  const amendable = isChange && (await hasAmendments(client, cache, call));

  const read = async (): Promise<Sale> => {
    const found = await readSale(client, id, call, amendable);
    if (found && !isCancelled(found)) return found;
    throw new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: found ? nameOf(found) : (doc.name ?? `sale.sale ${doc.id}`),
    });
  };
  const write = (values: object, what: 'rewrite-draft' | 'book-rounding' | 'note-payment-pending') =>
    client.write('sale.sale', [id], values, { what }, call);
  const press = (button: 'draft' | 'quote') =>
    client.press('sale.sale', button, [id], { what: 'change-order', document: nameOf(sale) }, call);

  let sale = await read();
  let matched = matchLines(liveLines(sale), wire);
  const says = {
    lines: matched.same,
    header: saysHeader(sale, wire.values),
    comment: commentText(sale.comment) === commentText(wire.values.comment),
  };
  const saysAll =
    says.lines && (isChange ? says.header && says.comment : sale.currency === wire.values.currency);
  const underWay = openAmendment(sale, amendmentName(wire.values)) !== undefined;

  if (isChange && !saysAll && !underWay) {
    // Each part is written by itself, so after a crash some may say the new already.
    const now = contentOf(sale);
    const left = contentIn(asLeft);
    const isEdited = (['lines', 'header', 'comment'] as const).some(
      (part) => !says[part] && now[part] !== left[part],
    );
    if (isEdited) throw editedInErp(sale, destination, shopTotal);
  }
  const wasQuoted = sale.state === 'quotation';
  if (isOpen(sale) || (sale.state === 'confirmed' && isChange)) {
    // Written with an older mapping by an attempt of ours that was never completed, or changed in the shop since.
    if (!saysAll) {
      if (sale.state !== 'draft') await press('draft');
      await write(
        { ...changedHeader(), lines: replaceLines(sale, wire.values.lines[0][1]) },
        'rewrite-draft',
      );
    }
  } else if (isChange && (!saysAll || underWay)) {
    await amend();
  }
  // Modules may have changed what we wrote: from here only the total counts.
  if (!saysAll || underWay) {
    sale = await read();
    matched = matchLines(liveLines(sale), wire);
  }

  if (isOpen(sale) || isChange) {
    if (sale.currency !== wire.values.currency) {
      throw new PermanentError('UNMAPPED_CURRENCY', { currency: code, destination });
    }
    await round();
    if (!new Big(sale.total_amount).eq(wire.expected.erpTotal)) {
      throw totalMismatch(sale.total_amount, wire, worstLine(matched, wire));
    }
  } else {
    const gap = new Big(sale.total_amount).minus(wire.expected.erpTotal).abs();
    if (gap.gt(wire.expected.tolerance)) {
      throw totalMismatch(sale.total_amount, wire, worstLine(matched, wire));
    }
    if (gap.gt(0)) {
      warnings.push(`${nameOf(sale)} was confirmed by hand, ${gap.toFixed()} off the shop's total.`);
    }
  }
  if (level === 'draft') {
    if (wasQuoted && sale.state === 'draft') {
      await press('quote');
      sale = await read();
    }
  } else {
    if (level === 'reserve' && isOpen(sale) && !isHeld()) {
      await write({ comment: withPaymentPending(sale.comment, true) }, 'note-payment-pending');
      sale = await read();
    }
    const confirmed = await confirmSale(options, sale, read, call);
    sale = confirmed.sale;
    warnings.push(...confirmed.warnings);
    if (isHeld()) await (level === 'reserve' ? hold() : release());
  }

  const total = moneyRounded(sale.total_amount, code);
  if (!new Big(sale.total_amount).eq(wire.expected.total)) {
    warnings.push(`The shop charged ${shopTotal}, ${nameOf(sale)} says ${moneyText(total)}.`);
  }
  const rounding = liveLines(sale).find((line) => isRounding(line, wire));
  return {
    ...documentOf(options, id, sale.number),
    total,
    rounding: rounding ? moneyRounded(rounding.amount ?? '0', code) : zero(code),
    fingerprint: fingerprintOf(sale),
    warnings,
  };

  function changedHeader(): object {
    const { currency, party, invoice_address, shipment_address, comment } = wire.values;
    return {
      currency,
      ...(isChange && {
        party,
        invoice_address,
        shipment_address,
        ...(!says.comment && { comment: withPaymentPending(comment, isHeld()) }),
      }),
    };
  }

  /** Changes what is processed already, as far as nobody has shipped or invoiced it. */
  async function amend(): Promise<void> {
    if (!says.comment) {
      const comment = withPaymentPending(wire.values.comment, isHeld());
      await client.write(
        'sale.sale',
        [id],
        { comment },
        { what: 'change-order', document: nameOf(sale) },
        call,
      );
    }
    if (says.lines && says.header && !underWay) return;
    const { surplus, missing } = matched;
    const { party, invoice_address, shipment_address } = wire.values;
    const header = says.header ? undefined : { party, invoice_address, shipment_address };
    const changes = { ...lineChanges(surplus, missing, zeroLines(sale)), header };
    assertInTime(changes);
    await amendSale(client, sale, changes, amendmentName(wire.values), call);
  }

  /**
   * What was shipped or invoiced stays as it is. New lines are taken beside it, as those of an exchange: an amendment makes
   * only drafts anew (observed on 6.0). @throws PermanentError TOO_LATE_IN_ERP
   */
  function assertInTime({ changed, header }: Amendment): void {
    const onlyAdds = header === undefined && changed.every(({ line }) => line.quantity === 0);
    const late = onlyAdds ? undefined : (tooLateFor(sale) ?? (isAssigned(sale) ? 'locked' : undefined));
    const because = late ?? (amendable ? undefined : 'locked');
    if (because) throw tooLate(sale, 'edited', because, destination);
  }

  /** Makes the total right by one untaxed rounding line, made, changed or removed. */
  async function round(): Promise<void> {
    const { rounding } = matched;
    const needed = roundingLine(sale.total_amount, rounding?.amount ?? '0', wire);
    if (rounding ? needed && sameLine(rounding, needed) : !needed) return;
    if (isOpen(sale)) {
      if (sale.state !== 'draft') await press('draft');
      await write(
        {
          lines: [
            ...(rounding ? [['delete', [rounding.id]]] : []),
            ...(needed ? [['create', [needed]]] : []),
          ],
        },
        'book-rounding',
      );
    } else {
      const changes = lineChanges(
        rounding ? [rounding] : [],
        needed ? [needed] : [],
        zeroLines(sale).filter((line) => isRounding(line, wire)),
      );
      const amendment = { ...changes, header: undefined };
      assertInTime(amendment);
      await amendSale(client, sale, amendment, amendmentName(wire.values, 'rounding'), call);
    }
    sale = await read();
    matched = matchLines(liveLines(sale), wire);
  }

  function isHeld(): boolean {
    return sale.comment.includes(PAYMENT_PENDING);
  }

  /**
   * Shipments go back to draft: stock forecasts count them (observed on 6.0), and nobody can assign or pick them
   * before somebody lets them wait for the warehouse again.
   */
  async function hold(): Promise<void> {
    await moveShipments('waiting', 'draft', { what: 'note-payment-pending' });
  }

  async function release(): Promise<void> {
    await moveShipments('draft', 'wait', { what: 'confirm-order', document: nameOf(sale) });
    // Last: it says that there is something to release.
    await write({ comment: withPaymentPending(sale.comment, false) }, 'note-payment-pending');
    sale = await read();
  }

  async function moveShipments(
    from: string,
    button: 'draft' | 'wait',
    operation: { what: 'note-payment-pending' } | { what: 'confirm-order'; document: string },
  ): Promise<void> {
    const shipments = sale['shipments.'].filter(({ state }) => state === from).map((shipment) => shipment.id);
    if (shipments.length > 0) await client.press('stock.shipment.out', button, shipments, operation, call);
  }
};

/** Its pieces are set apart already: an amendment would leave them so. */
const isAssigned = (sale: Sale): boolean => sale['shipments.'].some(({ state }) => state === 'assigned');

const zeroLines = ({ lines }: Sale): readonly SaleLine[] => lines.filter(({ quantity }) => quantity === 0);

const replaceLines = (sale: Sale, lines: readonly SaleLineValues[]) => [
  ...(sale['lines.'].length > 0 ? [['delete', sale['lines.'].map(({ id }) => id)]] : []),
  ['create', lines],
];

interface Matched {
  /** Tryton's lines are those of the wire. */
  readonly same: boolean;
  /** Tryton's line for each line of the wire, in its order; as far as can be told when they are not the same. */
  readonly lines: readonly SaleLine[];
  /** The rounding line that we booked, if there is one. */
  readonly rounding: SaleLine | undefined;
  /** Lines that Tryton has and the wire has not. */
  readonly surplus: readonly SaleLine[];
  /** Lines that the wire has and Tryton has not. */
  readonly missing: readonly SaleLineValues[];
}

/** Finds Tryton's line for each line of the wire, whatever their order. */
const matchLines = (lines: readonly SaleLine[], wire: TrytonOrderWire): Matched => {
  const [[, expected]] = wire.values.lines;
  const left = [...lines];
  const found: SaleLine[] = [];
  const missing: SaleLineValues[] = [];
  for (const values of expected) {
    const index = left.findIndex((line) => sameLine(line, values));
    const [line] = index < 0 ? [] : left.splice(index, 1);
    if (line) found.push(line);
    else missing.push(values);
  }
  const rounding = left.find((line) => isRounding(line, wire));
  const surplus = left.filter((line) => line !== rounding);
  const same = missing.length === 0 && surplus.length === 0;
  const inOrder = lines.length === expected.length ? lines : [];
  return { same, lines: same ? found : inOrder, rounding, surplus, missing };
};

/** The line with the largest gap between what Tryton and the shop say. */
const worstLine = ({ lines }: Matched, wire: TrytonOrderWire): LineLabel | undefined => {
  const gaps = lines
    .map((line, index) => {
      const expected = wire.lines[index];
      const gap = expected ? new Big(line.amount ?? 0).minus(expected.net).abs() : new Big(0);
      return { label: expected?.label, gap };
    })
    .sort((a, b) => b.gap.cmp(a.gap));
  return gaps[0]?.gap.gt(0) ? gaps[0].label : undefined;
};
