import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { TrytonAddress } from './global-setup.ts';
import { TrytonFault } from './rpc.ts';
import type { Reply, WorkerData } from './rpc-worker.ts';

/** Tryton's administrator, asked without waiting: conformance looks at a peer in the middle of an expression. */
export interface SyncRpc {
  call(method: string, args: readonly unknown[]): unknown;
  rows<T>(model: string, domain: readonly unknown[], fields: readonly string[]): T[];
}

const LONGEST_MS = 60_000;

export const syncRpc = ({ url, database, admin }: TrytonAddress): SyncRpc => {
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WorkerData = { url, database, ...admin, port: port2, done };
  const worker = new Worker(new URL('./rpc-worker.ts', import.meta.url), {
    workerData,
    transferList: [port2],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  // It never keeps the tests running.
  worker.unref();
  const call = (method: string, args: readonly unknown[]): unknown => {
    Atomics.store(done, 0, 0);
    worker.postMessage({ method, args });
    if (Atomics.wait(done, 0, 0, LONGEST_MS) === 'timed-out') throw new TrytonFault(`${method}: no answer`);
    const reply = receiveMessageOnPort(port1)?.message as Reply;
    if ('error' in reply) throw new TrytonFault(reply.error);
    return reply.value;
  };
  return {
    call,
    rows: <T>(model: string, domain: readonly unknown[], fields: readonly string[]) =>
      call(`model.${model}.search_read`, [domain, 0, null, [['id', 'ASC']], fields]) as T[],
  };
};
