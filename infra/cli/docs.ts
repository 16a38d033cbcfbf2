import { writeFile } from 'node:fs/promises';
import { eventsPage } from '../../shared/events/document.ts';

const page = new URL('../../shared/docs/events.md', import.meta.url);
await writeFile(page, eventsPage());
process.stdout.write('wrote shared/docs/events.md\n');
