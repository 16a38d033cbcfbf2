import { expect, it } from 'vitest';
import { oneShopOneErp } from './one-shop-one-erp.ts';

/**
 * An ERP that is unplugged, through the templates and bundles as they would be deployed. The schedule calls the controller
 * once a minute; here it is called as soon as there is something to see.
 */
const stage = oneShopOneErp();
const { start, says, buy, waybill, control } = stage;

const controlUntil = (outcome: string): Promise<void> =>
  expect.poll(control, { timeout: 30_000, interval: 100 }).toMatchObject({ outcome });
const ofOdoo = async () => {
  const { code, out } = await waybill('status', '--json');
  const { connections } = JSON.parse(out) as {
    connections: { connection: string; state?: { state: string }; queue?: object }[];
  };
  return { code, ...connections.find(({ connection }) => connection === 'acme-odoo') };
};

it('the ERP is unplugged: paused; plugged in again: resumed; every order arrives, nothing is parked', async () => {
  await start();
  await buy();
  await says(/written as S00001/);
  expect(await control()).toMatchObject({ outcome: 'unchanged' });

  const plugIn = await stage.erp.server.goDown();
  await buy();
  await says(/failed, PEER_UNREACHABLE/);
  await controlUntil('paused');
  await says(/acme-odoo +paused, its orders wait: .*ECONNREFUSED/);
  await buy(); // nobody tries this one
  expect(await ofOdoo()).toMatchObject({
    code: 1,
    state: { state: 'paused', by: 'controller', code: 'PEER_UNREACHABLE' },
    queue: { parked: 0 },
  });
  await controlUntil('probed');

  await plugIn();
  await controlUntil('resumed');
  await expect.poll(() => stage.erp.orders().length, { timeout: 60_000 }).toBe(3);
  await says(/written as S00003/);
  await expect
    .poll(ofOdoo, { timeout: 20_000, interval: 200 })
    .toMatchObject({ code: 0, state: { state: 'running' }, queue: { visible: 0, inFlight: 0, parked: 0 } });
}, 150_000);

it('paused by a person: nothing is written until a person resumes it', async () => {
  await start();
  const paused = await waybill('pause', 'acme-odoo', '--by', 'ada', '--why', 'stock-taking');
  expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('acme-odoo is paused now: done') });
  await buy();
  await expect
    .poll(ofOdoo, { timeout: 20_000, interval: 200 })
    .toMatchObject({ code: 1, state: { by: 'ada', why: 'stock-taking' }, queue: { visible: 1 } });
  expect(await control()).toMatchObject({ outcome: 'unchanged' });
  expect(stage.erp.orders()).toEqual([]);
  expect((await waybill('status')).out).toMatch(/paused since .* by ada, BY_HAND: stock-taking/);

  const resumed = await waybill('resume', 'acme-odoo', '--by', 'bob', '--why', 'counted');
  expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('acme-odoo is running now: done') });
  await says(/written as S00001/);
}, 150_000);
