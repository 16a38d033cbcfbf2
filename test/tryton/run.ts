import { TrytonRpc } from './rpc.ts';
import { SEED, seed } from './seed.ts';
import { startTryton } from './server.ts';

// A Tryton to look at, with the tests' company: `node test/tryton/run.ts`, until Ctrl-C.
const tryton = await startTryton(console.log);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void tryton.stop());
const rpc = new TrytonRpc(tryton.url, tryton.database);
try {
  await rpc.login(tryton.admin.login, tryton.admin.password);
  await seed(rpc, new Date().toISOString().slice(0, 10));
} catch (error) {
  await tryton.stop();
  throw error;
}
console.log(
  `database ${tryton.database}; ${tryton.admin.login}: ${tryton.admin.password}; ${SEED.login}: ${SEED.password}`,
);
