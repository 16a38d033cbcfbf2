import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { odooDatetime, toWire } from '../../../shared/connectors/odoo/orders.mapper.ts';

/** Amounts, signs and times of each pair were checked by hand against what the shop charges. */
const GOLDEN = new URL('../../golden/odoo/orders/', import.meta.url);
const cases = readdirSync(GOLDEN)
  .filter((file) => file.endsWith('.in.json'))
  .map((file) => file.slice(0, -'.in.json'.length));
const json = (file: string) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'));

describe('toWire', () => {
  it('has golden pairs', () => expect(cases).toHaveLength(24));

  it.each(cases)('%s', (name) => {
    const { order, refs, reference, route } = json(`${name}.in.json`);
    expect(JSON.parse(JSON.stringify(toWire(order, refs, reference, route)))).toEqual(
      json(`${name}.out.json`),
    );
  });
});

it.each([
  ['2026-11-21T22:55:57Z', '2026-11-21 22:55:57'],
  ['2026-11-21T22:55:57.999Z', '2026-11-21 22:55:57'],
  ['2026-11-22T06:55:57+08:00', '2026-11-21 22:55:57'],
])('writes %s as Odoo takes it', (iso, odoo) => expect(odooDatetime(iso)).toBe(odoo));
