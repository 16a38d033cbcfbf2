import { describe, expect, it } from 'vitest';
import { type ConnectionStatus, needsAttention, statusWords } from '../../../infra/cli/commands/status.ts';

const NOW = Date.parse('2026-11-23T12:30:00Z');
const queue = { visible: 0, inFlight: 0, parked: 0 };
const shop: ConnectionStatus = { connection: 'acme-woo', state: undefined, queue: undefined };
const running: ConnectionStatus = {
  connection: 'acme-odoo',
  state: { state: 'running', sinceMs: 0 },
  queue,
};
const paused: ConnectionStatus = {
  connection: 'acme-odoo',
  state: {
    state: 'paused',
    sinceMs: NOW - 3 * 60 * 60_000,
    by: 'controller',
    code: 'PEER_UNREACHABLE',
    why: 'erp.example cannot be reached (ECONNREFUSED)',
  },
  queue: { visible: 12, inFlight: 3, parked: 0 },
};

describe('what status says', () => {
  it('of what runs: one line', () => {
    expect(statusWords([shop, running], 0, NOW)).toEqual([
      'acme-woo   running',
      'acme-odoo  running  0 wait  0 at work or to be tried again  0 parked',
    ]);
  });

  it('of what is paused: since when, by whom, and why; and what is in quarantine', () => {
    expect(statusWords([paused], 2, NOW)).toEqual([
      expect.stringContaining('acme-odoo  paused  12 wait  3 at work or to be tried again  0 parked'),
      '    paused since 2026-11-23 09:30 UTC (3 h) by controller, PEER_UNREACHABLE: erp.example cannot be reached (ECONNREFUSED)',
      expect.stringContaining('2 in quarantine: waybill quarantine list'),
    ]);
  });
});

it.each<[string, readonly ConnectionStatus[], number, boolean]>([
  ['everything runs', [shop, running], 0, false],
  ['orders wait to be tried again', [{ ...running, queue: { ...queue, inFlight: 9 } }], 0, false],
  ['paused', [shop, paused], 0, true],
  ['parked', [{ ...running, queue: { ...queue, parked: 1 } }], 0, true],
  ['in quarantine', [running], 1, true],
])('%s: ends with 1 or not', (_case, connections, quarantined, attention) => {
  expect(needsAttention(connections, quarantined)).toBe(attention);
});
