import type { MappingRow } from '../connectors/contract.ts';
import type { ParkedRow } from './parked.ts';
import type { ReasonCode } from './reasons.ts';

/** Which parameter of a reason names the key of the mapping row that was missing or wrong. */
const KEYS: { readonly [C in ReasonCode]?: { readonly kind: MappingRow['kind']; readonly param: string } } = {
  UNMAPPED_TAX: { kind: 'tax', param: 'tax' },
  UNKNOWN_TAX: { kind: 'tax', param: 'tax' },
  UNKNOWN_SKU: { kind: 'sku', param: 'sku' },
  AMBIGUOUS_SKU: { kind: 'sku', param: 'sku' },
  ARCHIVED_SKU: { kind: 'sku', param: 'sku' },
  UNKNOWN_PAYMENT_TERM: { kind: 'payment', param: 'method' },
  UNKNOWN_PAYMENT_JOURNAL: { kind: 'journal', param: 'method' },
};

/** Whether the row says what the parked order was waiting for. The order may lack other rows, too. */
export const repairs = (row: MappingRow, parked: ParkedRow): boolean => {
  const wanted = KEYS[parked.code as ReasonCode];
  if (!wanted || wanted.kind !== row.kind || row.destination !== parked.connection) return false;
  if (row.source !== '*' && row.source !== parked.source) return false;
  const { params } = parked;
  return (
    typeof params === 'object' &&
    params !== null &&
    Object.entries(params).some(([name, value]) => name === wanted.param && value === row.key)
  );
};
