import { writeFile } from 'node:fs/promises';
import { orderSchema } from '../../shared/connectors/custom-store/wire.ts';
import { eventsPage } from '../../shared/events/document.ts';

const DOCUMENTS = {
  'shared/docs/events.md': eventsPage,
  'shared/connectors/custom-store/order.schema.json': orderSchema,
};

for (const [file, text] of Object.entries(DOCUMENTS)) {
  await writeFile(new URL(`../../${file}`, import.meta.url), text());
  process.stdout.write(`wrote ${file}\n`);
}
