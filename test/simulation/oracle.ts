import { BY_HAND, type CreditNote, type ErpDocument, type Payment, saysOf } from './erp.ts';
import type { Life } from './life.ts';
import { type OrderState, refundedOf, type ShopOrder, totalOf } from './shop.ts';

type Route = Life['routes'][number];

/**
 * Says what each ERP must hold at the end, from what happened in the shops and what people did in the ERPs, and
 * names every difference. It shares no decision with the code it judges.
 */
export const problemsOf = (life: Life): string[] => {
  const problems: string[] = [];
  for (const [name, erp] of life.erps) {
    const here = life.routes.filter(({ to }) => to === name);
    const known = new Set<string>();
    for (const route of here) {
      for (const order of life.shops.filter(({ shop }) => shop === route.from)) {
        const reference = `${order.shop}:${order.id}`;
        known.add(reference);
        const about = (problem: string) => `${name}, ${reference}: ${problem}`;
        problems.push(...problemsOfOne(life, route, order).map(about));
      }
    }
    for (const { reference, id } of erp.documents) {
      if (!known.has(reference)) problems.push(`${name}: ${id} belongs to no order (${reference})`);
    }
    for (const { reference, id } of erp.notes) {
      const order = reference.split('/refund/')[0] ?? '';
      if (!known.has(order)) problems.push(`${name}: ${id} credits no order (${reference})`);
    }
    const buyers = erp.customers.map(({ buyer }) => buyer);
    for (const buyer of new Set(buyers)) {
      const made = buyers.filter((each) => each === buyer).length;
      if (made > 1) problems.push(`${name}: ${buyer} is there ${made} times`);
    }
  }
  return problems;
};

const problemsOfOne = (life: Life, route: Route, order: ShopOrder): string[] => {
  const { shop, id, versions } = order;
  const last = versions.at(-1);
  const erp = life.erps.get(route.to);
  if (!last || !erp) return ['no such order or ERP'];
  const reference = `${shop}:${id}`;
  const documents = erp.documents.filter((d) => d.reference === reference);
  const [document] = documents;
  const notes = erp.notes.filter((n) => n.reference.startsWith(`${reference}/refund/`));
  const payments = erp.payments.filter((p) => p.reference.startsWith(`${reference}/payment/`));
  const row = life.rows.get(`${route.to}#${shop}#${id}`);
  const entry = life.entries.get(`${route.to}#${shop}#${id}#create`);
  const problems: string[] = [];
  const say = (problem: string | false | undefined): void => {
    if (problem) problems.push(problem);
  };

  // The journal knows the last state, and what became of it.
  if (!row) return ['the journal never heard of it'];
  const isListed = row.state !== 'parked' && row.openSinceMs !== undefined;
  say((row.state === 'open' || isListed) && 'the journal says that work is unfinished');
  say(
    row.settled?.contentHash !== JSON.stringify(last.state) &&
      `the journal settled something else than the last state (${last.what})`,
  );
  const parked = row.state === 'parked' ? (row.settlement?.step.code ?? 'nothing') : undefined;

  // Nothing is there twice, whatever happened.
  say(documents.length > 1 && `${documents.length} orders in the ERP`);
  for (const { id: refund, minor } of last.state.refunds) {
    const made = notes.filter((n) => n.reference === `${reference}/refund/${refund}`);
    say(made.length > 1 && `refund ${refund} was credited ${made.length} times`);
    for (const note of made) {
      say(note.minor !== minor && `refund ${refund} of ${minor} was credited as ${note.minor}`);
      say(note.document !== document?.id && `refund ${refund} credits ${note.document}`);
    }
  }
  for (const note of notes) {
    const isKnown = last.state.refunds.some((r) => note.reference === `${reference}/refund/${r.id}`);
    say(!isKnown && `${note.id} credits a refund that the shop never made`);
  }

  for (const problem of doubled(payments, versions, document)) say(problem);

  const levels = versions.map(({ state }) => levelOf(state, route));
  const isEnded = last.state.status === 'cancelled' || last.state.status === 'refunded';
  const isGivenBack = refundedOf(last.state) === totalOf(last.state);

  if (!document) {
    const isWanted = !isEnded && levels.at(-1) !== undefined;
    say(isWanted && `is not in the ERP (the journal says ${parked ?? row.state})`);
    say(
      !isWanted &&
        row.state !== 'skipped' &&
        `the journal says ${parked ?? row.state} of an order that is nowhere`,
    );
    say(notes.length > 0 && 'was credited without being there');
    return problems;
  }

  say(levels.every((level) => level === undefined) && 'is in the ERP and was never to be');
  const doneOnce = document.editedFrom !== undefined;
  say(doneOnce && !document.header.includes(BY_HAND) && 'what people changed by hand was overwritten');
  if (document.level === 'cancelled') {
    const wasEnded = versions.some(
      ({ state }) => state.status === 'cancelled' || state.status === 'refunded',
    );
    say(!wasEnded && 'was cancelled in the ERP only');
    say(notes.length > 0 && `is cancelled, and credited besides (${notes.length} credit notes)`);
    if (isEnded) say(parked && `is cancelled as it should be, and parked with ${parked}`);
    else
      say(
        !['ORDER_CHANGED_AFTER_WRITE', 'ERP_DOCUMENT_GONE'].includes(parked ?? '') &&
          'is cancelled in the ERP, alive in the shop, and nobody was told',
      );
    if (!parked) for (const problem of unbooked(payments, route, last.state)) say(problem);
    return [...problems, ...unfinished(life, route, order, parked !== undefined)];
  }

  const isCredited = creditedOf(notes) === refundedOf(last.state);
  const isComplete = entry?.state === 'finished';
  const mayBeParked =
    parked && whyParked(parked, document, notes, last.state, isEnded, isGivenBack && isComplete);
  say(parked && !mayBeParked && `parked for nothing: ${parked}`);
  if (parked) return [...problems, ...unfinished(life, route, order, true)];

  say(row.state !== 'done' && `is in the ERP, and the journal says ${row.state}`);
  say(!isCredited && `${refundedOf(last.state)} were refunded, ${creditedOf(notes)} credited`);
  say(notes.some(({ isPosted }) => !isPosted) && 'a credit note was never posted');
  if (isEnded) {
    const wasTooLate = document.tooLate !== undefined || last.state.refunds.length > 1;
    say(
      !(isGivenBack && wasTooLate) &&
        `is ${last.state.status} in the shop, alive in the ERP, and nobody was told`,
    );
  } else {
    const wanted = highest(levels);
    say(document.level !== wanted && `is ${document.level} instead of ${wanted}`);
    const said = document.editedFrom ?? saysOf(document);
    say(said !== wordsOf(last.state) && `says ${said} instead of ${wordsOf(last.state)}`);
  }
  const counts = isEnded || document.level === 'confirm';
  for (const problem of unbooked(payments, route, last.state, counts)) say(problem);
  const bound = life.bindings.get(`${route.to} ${shop} order ${id}`);
  say(bound !== document.id && `is bound to ${bound ?? 'nothing'} instead of ${document.id}`);
  say(entry?.document?.id !== document.id && `the ledger knows ${entry?.document?.id ?? 'nothing'}`);
  return [...problems, ...unfinished(life, route, order, false)];
};

/** Is there a reason for which a person has to decide? */
const whyParked = (
  code: string,
  document: ErpDocument,
  notes: readonly CreditNote[],
  state: OrderState,
  isEnded: boolean,
  isGivenBack: boolean,
): boolean => {
  const says = document.editedFrom ?? saysOf(document);
  switch (code) {
    case 'EDITED_IN_ERP':
      return document.editedFrom !== undefined;
    case 'TOO_LATE_IN_ERP':
      return document.tooLate !== undefined && (isEnded ? !isGivenBack : says !== wordsOf(state));
    // What was credited in part is not cancelled for the rest.
    case 'ORDER_CHANGED_AFTER_WRITE':
      return isEnded && notes.length > 0 && !isGivenBack;
    default:
      return false;
  }
};

/** Money that is booked twice, or was never there. */
const doubled = (
  payments: readonly Payment[],
  versions: ShopOrder['versions'],
  document: ErpDocument | undefined,
): string[] => {
  const problems: string[] = [];
  const paid = versions.filter(({ state }) => state.payment !== 'pending').map(({ state }) => totalOf(state));
  const came = payments.filter(({ direction }) => direction === 'in');
  if (came.length > 1) problems.push(`${came.length} payments are booked: ${came.map((p) => p.reference)}`);
  for (const { id, minor, document: of } of payments) {
    if (of !== document?.id) problems.push(`${id} pays ${of}`);
    const isIn = came.some((payment) => payment.id === id);
    if (isIn && !paid.includes(minor)) problems.push(`${id} is ${minor}, which was never paid`);
  }
  for (const refund of versions.at(-1)?.state.refunds ?? []) {
    const back = payments.filter(({ reference }) => reference.endsWith(`/payment/refund ${refund.id}`));
    if (back.length > 1) problems.push(`refund ${refund.id} is paid back ${back.length} times`);
    if (back.some(({ minor }) => minor !== refund.minor))
      problems.push(`${refund.id} is paid back otherwise`);
  }
  return problems;
};

/** Money that moved and is not in the books of whoever is to keep them. */
const unbooked = (
  payments: readonly Payment[],
  { payments: policy }: Route,
  { payment, refunds }: OrderState,
  counts = true,
): string[] => {
  if (policy === 'note')
    return payments.length > 0 ? ['its payments are booked, and nobody asked for it'] : [];
  if (!counts) return [];
  const wanted = payment === 'pending' ? 0 : 1 + refunds.length;
  const posted = payments.filter(({ isPosted }) => isPosted).length;
  return posted === wanted && payments.length === wanted
    ? []
    : [`${posted} of ${wanted} payments are booked (${payments.length} made)`];
};

/** How far an order is to be taken, by the words of the settings. */
const levelOf = (
  state: OrderState,
  { accept, startAt }: Route,
): 'draft' | 'reserve' | 'confirm' | undefined => {
  if (Date.parse(state.placedAt) < Date.parse(startAt)) return undefined;
  if (state.status === 'cancelled' || state.status === 'refunded') return undefined;
  if (state.status === 'pending' && !state.test) return undefined;
  const isUnpaid = state.payment === 'pending';
  let level = accept.paid;
  if (state.test) level = accept.test;
  else if (state.status === 'on-hold' && !(isUnpaid && state.kind === 'bank-transfer')) level = accept.onHold;
  else if (isUnpaid)
    level = state.kind === 'cash-on-delivery' ? accept.cashOnDelivery : accept.bankTransferPending;
  return level === 'ignore' ? undefined : level;
};

const highest = (levels: readonly (string | undefined)[]) =>
  ['confirm', 'reserve', 'draft'].find((level) => levels.includes(level));

const wordsOf = ({ tea, mug, address, note }: OrderState): string =>
  `${tea} TEA${mug > 0 ? ` + ${mug} MUG` : ''} | ${address} / ${note}`;

const creditedOf = (notes: readonly CreditNote[]): number => notes.reduce((sum, { minor }) => sum + minor, 0);

/** Work that nobody will come back to. What was begun and has no document left nothing behind. */
const unfinished = (life: Life, { to }: Route, { shop, id }: ShopOrder, isParked: boolean): string[] =>
  [...life.entries.values()]
    .filter(({ intent }) => intent.startsWith(`${to}#${shop}#${id}#`) && !isParked)
    .filter(({ state, document }) => state !== 'finished' && document !== undefined)
    .map(({ intent, state }) => `${intent} is ${state}`);
