import { startLocalStack } from '../../infra/local/index.ts';

/** Runs a local stack until it is killed: `node local-stack-runner.ts ASSEMBLY DATA_DIR`. Tells its parent where it is. */
const [, , assembly = '', dataDir = ''] = process.argv;
const stack = await startLocalStack({ assembly, dataDir });
process.send?.({
  apiUrl: stack.apiUrl,
  env: stack.env,
  table: stack.physicalId('Core', 'Orders'),
  pids: stack.processes().map(({ pid }) => pid),
});
