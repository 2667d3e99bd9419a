import { cells, inWords } from '../../tools/faults/payments/cells';
import { sweep, type Found } from '../../tools/faults/payments/sweep';
import { freePort } from '../../tools/stack/ports';
import { endProcess, type Daemon } from '../../tools/stack/servers/daemon';
import { startOne } from '../../tools/stack/startOne';
import { createDatabase, temporalAddress } from '../support/servers';
import { newDataDir, prepareProcesses } from '../support/wholeStack';

let provider: Daemon;
let found: Found[];

beforeAll(async () => {
  await prepareProcesses();
  const [port, dataDir] = [await freePort(), newDataDir()];
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', HAILWAY_DATA_DIR: dataDir };
  provider = await startOne({ name: 'sandbox-psp', wanted: { process: 'sandbox-psp' }, port, env, dataDir });
  found = await sweep(
    {
      temporalAddress: temporalAddress(),
      providerUrl: `http://127.0.0.1:${port}`,
      dataDir,
      createDatabase,
    },
    { atOnce: 3, anyMoments: 0, seed: 1 },
  );
}, 420_000);
afterAll(() => provider && endProcess(provider.pid, { signal: 'SIGTERM', deadlineMs: 10_000 }));

describe('a payments worker that is killed', () => {
  test.each(cells.map((cell) => inWords(cell)))('%s: charged once, nothing held, books alike', (when) => {
    expect(found.filter((one) => one.when === when).map(({ wrong }) => wrong)).toEqual([[]]);
  });
});
