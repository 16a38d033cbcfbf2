import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { auditCsv, auditWords, reportWords } from '../../../infra/cli/commands/audit-words.ts';
import type { Difference } from '../../../shared/core/audit/differences.ts';
import { reportOf } from '../../../shared/core/audit/report.ts';

const plain = (lines: readonly string[]) => lines.map(stripVTControlCharacters);
const drift: Difference = {
  kind: 'stock',
  cause: 'drift',
  shop: 'acme-woo',
  location: 'default',
  sku: 'TEA',
  erp: '8',
  shows: '80',
  why: 'it should show 8',
};
const flying: Difference = {
  ...drift,
  cause: 'in-flight',
  shop: 'acme-shopify',
  location: 'gid://1',
  sku: '=CUP()',
  why: 'is being written',
};
const twice: Difference = {
  kind: 'duplicate',
  cause: 'drift',
  sku: 'TWICE',
  erp: 'two products',
  shows: '',
  why: 'nobody can say which is meant',
};
const audit = { skus: 3, listings: 4, orders: 5, differences: [flying, drift, twice] };

describe('for people', () => {
  it('what is to be mended comes first', () => {
    expect(plain(auditWords('acme-odoo', audit))).toEqual([
      'acme-odoo: 3 SKUs, 4 listings and 5 orders compared',
      '',
      '2 to be mended',
      '  stock      drift  acme-woo  TEA    ERP: 8, shop: 80   it should show 8',
      '  duplicate  drift            TWICE  ERP: two products  nobody can say which is meant',
      '',
      '1 explained',
      '  stock  in-flight  acme-shopify gid://1  =CUP()  ERP: 8, shop: 80  is being written',
    ]);
  });

  it('nothing is to be mended', () => {
    expect(plain(auditWords('acme-odoo', { ...audit, differences: [flying] })).at(-1)).toBe(
      'nothing is to be mended',
    );
  });
});

it('for spreadsheets: text that looks like a formula is none', () => {
  expect(auditCsv([drift, flying])).toBe(
    'kind,cause,explained,shop,location,sku,erp,shows,why\n' +
      'stock,drift,no,acme-woo,default,TEA,8,80,it should show 8\n' +
      "stock,in-flight,yes,acme-shopify,gid://1,'=CUP(),8,80,is being written\n",
  );
});

describe('what the daily audits have kept', () => {
  const atMs = Date.parse('2026-11-23T06:00:00Z');
  it('counts all by cause, and keeps what is for a person first', () => {
    const many = Array.from({ length: 1200 }, () => flying);
    const report = reportOf('acme-odoo', atMs, { ...audit, differences: [...many, drift] });
    expect(report).toMatchObject({ causes: { 'in-flight': 1200, drift: 1 }, unexplained: 1, leftOut: 201 });
    expect([report.differences.length, report.differences[0]]).toEqual([1000, drift]);
    const lines = plain(reportWords([report, { ...report, leftOut: 0, differences: [] }]));
    expect(lines[0]).toBe('2026-11-23 06:00 UTC');
    expect(lines).toContain('201 more were found and not kept: waybill audit lists them all');
    expect(lines.slice(-4)).toEqual([
      '',
      '2026-11-23 06:00 UTC',
      'acme-odoo: 3 SKUs, 4 listings and 5 orders compared',
      'nothing is to be mended',
    ]);
  });

  it('nothing yet', () => {
    expect(reportWords([])).toEqual(['no audit yet: there is one each morning while a stock route is on']);
  });
});
