import { startLocalStack } from '../../infra/local/index.ts';

/** Runs a local stack until it is killed: `node local-stack-runner.ts ASSEMBLY DATA_DIR`. Tells its parent where it is, and again whenever asked. */
const [, , assembly = '', dataDir = ''] = process.argv;
const stack = await startLocalStack({ assembly, dataDir });
const tell = () =>
  process.send?.({
    apiUrl: stack.apiUrl,
    env: stack.env,
    table: stack.physicalId('Core', 'Orders'),
    pids: stack.processes().map(({ pid }) => pid),
    busy: stack
      .processes()
      .filter(({ busy }) => busy)
      .map(({ pid }) => pid),
  });
process.on('message', tell);
tell();
