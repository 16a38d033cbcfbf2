import type { LevelPage } from '../../connectors/stock-contract.ts';
import type { Publish } from '../../events/catalogue.ts';
import type { StockChangedV1 } from '../../events/stock-changed.ts';
import type { Clock } from '../ports.ts';
import type { Reading } from './readings.ts';

export interface LevelsPorts {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
}

/** By SKU. Of one that two products have, nobody can say what there is. */
export const readingsOf = ({ asOfMs, levels, missing, ambiguous }: LevelPage): Map<string, Reading> => {
  const readings = new Map<string, Reading>();
  for (const [sku, those] of Map.groupBy(levels, (level) => level.sku)) {
    const category = those.find((level) => level.category !== undefined)?.category;
    readings.set(sku, {
      asOfMs,
      ...(category !== undefined && { category }),
      levels: Object.fromEntries(
        those.map(({ warehouse, onHand, free }) => [warehouse, { onHand, free }] as const),
      ),
    });
  }
  for (const sku of missing) readings.set(sku, { asOfMs, levels: {} });
  for (const sku of ambiguous) readings.delete(sku);
  return readings;
};

const MOST_LEVELS = 500;

/** As few events as hold them; one SKU is never in two. @returns events published */
export const publishLevels = async (
  ports: LevelsPorts,
  readings: ReadonlyMap<string, Reading>,
): Promise<number> => {
  let count = 0;
  for (const [asOfMs, those] of Map.groupBy(readings, ([, reading]) => reading.asOfMs)) {
    let levels: StockChangedV1['levels'] = [];
    let missing: string[] = [];
    const send = async () => {
      if (levels.length + missing.length === 0) return;
      const data: StockChangedV1 = { source: ports.erp, asOfMs, levels, missing };
      await ports.publish('stock.changed.v1', {
        meta: {
          id: ports.newId(),
          connection: ports.erp,
          correlationId: `stock of ${ports.erp}`,
          receivedAtMs: ports.nowMs(),
          via: 'derived',
        },
        data,
      });
      count += 1;
      [levels, missing] = [[], []];
    };
    for (const [sku, reading] of those) {
      const parts = Object.entries(reading.levels);
      if (levels.length + parts.length > MOST_LEVELS || missing.length >= MOST_LEVELS) await send();
      if (parts.length === 0) missing.push(sku);
      const { category } = reading;
      levels.push(
        ...parts.map(([warehouse, { onHand, free }]) => ({
          sku,
          warehouse,
          onHand,
          free,
          ...(category !== undefined && { category }),
        })),
      );
    }
    await send();
  }
  return count;
};
