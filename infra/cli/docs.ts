import { readFile, writeFile } from 'node:fs/promises';
import { withFields } from '../../shared/connectors/custom-store/document.ts';
import { stockSchema } from '../../shared/connectors/custom-store/stock-wire.ts';
import { orderSchema } from '../../shared/connectors/custom-store/wire.ts';
import { eventsPage } from '../../shared/events/document.ts';

/** Each makes its file from what stands there now. */
const DOCUMENTS: Readonly<Record<string, (now: string) => string>> = {
  'shared/docs/events.md': eventsPage,
  'shared/connectors/custom-store/order.schema.json': orderSchema,
  'shared/connectors/custom-store/stock.schema.json': stockSchema,
  'shared/connectors/custom-store/README.md': withFields,
};

for (const [file, text] of Object.entries(DOCUMENTS)) {
  const at = new URL(`../../${file}`, import.meta.url);
  await writeFile(at, text(await readFile(at, 'utf8')));
  process.stdout.write(`wrote ${file}\n`);
}
