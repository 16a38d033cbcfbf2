import { afterAll, beforeAll, expect, it } from 'vitest';
import { dynamoBindings } from '../../../shared/aws/dynamo-bindings.ts';
import { type DynamoTables, startDynamoTables } from '../../fakes/dynamo-tables.ts';

let tables: DynamoTables;
beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

it('can be read from either side, and takes the same binding twice', async () => {
  const table = await tables.create();
  const bindings = dynamoBindings(tables.client, table);
  const document = { id: '42', name: 'S00042', url: 'https://erp.test/42' };
  await bindings.put('acme-odoo', 'acme-woo', 'order', '1001', { id: '42' });
  await bindings.put('acme-odoo', 'acme-woo', 'order', '1001', document);
  const binding = {
    destination: { S: 'acme-odoo' },
    source: { S: 'acme-woo' },
    entity: { S: 'order' },
    externalId: { S: '1001' },
    documentId: { S: '42' },
    documentName: { S: 'S00042' },
    documentUrl: { S: 'https://erp.test/42' },
  };
  expect(await tables.item(table, 'order#OURS#acme-odoo#acme-woo#1001')).toMatchObject(binding);
  expect(await tables.item(table, 'order#PEERS#acme-odoo#acme-woo#42')).toMatchObject(binding);
});
