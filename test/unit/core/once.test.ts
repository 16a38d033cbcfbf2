import { describe, expect, it } from 'vitest';
import type { PeerDocument } from '../../../shared/connectors/contract.ts';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import type { Ledger, LedgerEntry } from '../../../shared/core/ledger.ts';
import { MAX_ATTEMPTS, type OnceSteps, once, SupersededError } from '../../../shared/core/once.ts';
import { memoryLedger } from '../../fakes/memory-ledger.ts';

const INTENT = 'acme-odoo#acme-woo#1001#create';
const START = Date.parse('2026-11-21T23:00:00Z');

const atThePeer = (override: Partial<OnceSteps> = {}, more: Partial<Ledger> = {}) => {
  let now = START;
  const entries = new Map<string, LedgerEntry>();
  const documents: PeerDocument[] = [];
  const ledger = { ...memoryLedger(() => now, entries), ...more };
  const ports = { ledger, nowMs: () => now, leaseMs: 100_000, settleMs: 30_000 };
  const steps: OnceSteps = {
    find: async () => documents[0],
    create: async () => {
      const made = { id: String(documents.length + 1) };
      documents.push(made);
      return made;
    },
    ...override,
  };
  return {
    entries,
    documents,
    wait: (ms: number) => {
      now += ms;
    },
    try: () => once(ports, INTENT, steps),
  };
};

const failureOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work.then(() => undefined);
  } catch (error) {
    return error;
  }
};

it('is done with the write where nothing has to be completed', async () => {
  const peer = atThePeer();
  expect(await peer.try()).toEqual({ kind: 'created', document: { id: '1' }, facts: {}, attempt: 1 });
  expect(await peer.try()).toEqual({ kind: 'duplicate', document: { id: '1' }, facts: {}, attempt: 1 });
  expect(peer.documents).toHaveLength(1);
});

it('finished without a document is no answer: tried again, and nothing is written', async () => {
  const entry: LedgerEntry = {
    intent: INTENT,
    state: 'finished',
    attempt: 1,
    failures: 0,
    leaseUntilMs: 0,
    facts: {},
  };
  const peer = atThePeer({}, { claim: async () => ({ kind: 'finished', entry }) });
  const error = await failureOf(peer.try());
  expect(error).toBeInstanceOf(RetryableError);
  expect(error).toMatchObject({ code: 'LEDGER_BROKEN', context: { intent: INTENT } });
  expect(peer.documents).toEqual([]);
});

it('stalled until a write could outlive the lease, it writes nothing and names the intent', async () => {
  const peer = atThePeer({
    find: async () => {
      peer.wait(70_001);
      return undefined;
    },
  });
  expect(await failureOf(peer.try())).toMatchObject({ code: 'LEASE_LOST', context: { intent: INTENT } });
  expect(peer.documents).toEqual([]);
});

it('at the last moment that is early enough it still writes', async () => {
  const peer = atThePeer({
    find: async () => {
      peer.wait(70_000);
      return undefined;
    },
  });
  expect(await peer.try()).toMatchObject({ kind: 'created' });
});

it('what was superseded is named', () => {
  expect(new SupersededError(INTENT)).toMatchObject({ code: 'SUPERSEDED', context: { intent: INTENT } });
});

describe('the eighth failure', () => {
  it.each<[string, Error, Record<string, unknown>]>([
    [
      'an HTTP status',
      new RetryableError('PEER_FAILED', 'erp answered HTTP 503', { status: 503 }),
      { lastCode: 'PEER_FAILED', lastReason: 'erp answered HTTP 503', lastStatus: 503 },
    ],
    [
      'no status',
      new RetryableError('PEER_FAILED', 'erp hung up'),
      { lastCode: 'PEER_FAILED', lastReason: 'erp hung up' },
    ],
    [
      'a status in words',
      new RetryableError('PEER_FAILED', 'erp hung up', { status: 'gone' }),
      { lastCode: 'PEER_FAILED', lastReason: 'erp hung up' },
    ],
  ])('is parked with what the peer said last: %s', async (_case, failure, last) => {
    const peer = atThePeer({
      find: async () => {
        throw failure;
      },
    });
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) {
      expect(await failureOf(peer.try())).toBe(failure);
      expect(failure).toMatchObject({ attempt });
      peer.wait(24 * 3_600_000);
    }
    const parked = await failureOf(peer.try());
    expect(parked).toBeInstanceOf(PermanentError);
    expect(parked).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempt: MAX_ATTEMPTS, cause: failure });
    expect((parked as PermanentError).params).toStrictEqual({ attempts: MAX_ATTEMPTS, ...last });
  });
});
