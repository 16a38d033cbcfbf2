import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { TrytonRpc } from './rpc.ts';

/** What the worker is given: whom to ask, and where to put the answers. */
export interface WorkerData {
  readonly url: string;
  readonly database: string;
  readonly login: string;
  readonly password: string;
  readonly port: MessagePort;
  readonly done: Int32Array;
}

export type Reply = { readonly value: unknown } | { readonly error: string };

const { url, database, login, password, port, done } = workerData as WorkerData;
const rpc = new TrytonRpc(url, database);
const ready = rpc.login(login, password);

parentPort?.on('message', async ({ method, args }: { method: string; args: unknown[] }) => {
  const reply: Reply = await ready
    .then(() => rpc.call(method, args))
    .then(
      (value) => ({ value }),
      (error: unknown) => ({ error: String(error) }),
    );
  port.postMessage(reply);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
