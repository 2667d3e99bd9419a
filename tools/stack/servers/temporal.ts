import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { keepRunning, type Kept } from '../keep';
import type { Say } from '../say';
import { startDaemon, stopLeftOver } from './daemon';

export interface TemporalOptions {
  readonly binary: string;
  readonly dataDir: string;
  readonly port: number;
  readonly uiPort: number;
  readonly say: Say;
}

/** The write-ahead log doubles the workflows per second that the dev server carries on two cores. */
const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];

/**
 * By default a shard's queues are polled 20 times a second at most; with the dev server's one shard every task waits
 * about 45 ms for that.
 */
const dynamicConfig = [
  'history.transferProcessorMaxPollRPS=5000',
  'history.timerProcessorMaxPollRPS=5000',
  'system.forceSearchAttributesCacheRefreshOnRead=true',
  // How soon after the last pinned workflow a version is reported drained; 3 minutes each by default.
  'matching.wv.VersionDrainageStatusVisibilityGracePeriod="10s"',
  'matching.wv.VersionDrainageStatusRefreshInterval="5s"',
];

const stopDeadlineMs = 15_000;

/** Ends a server that an earlier start left behind on this data. */
export async function stopLeftOverTemporal(dataDir: string): Promise<void> {
  await stopLeftOver(dataDir, 'temporal', { signal: 'SIGTERM', deadlineMs: stopDeadlineMs });
}

/** Starts Temporal's dev server with its web UI on a file of its own, and keeps it running. */
export function startTemporal({ binary, dataDir, port, uiPort, say }: TemporalOptions): Kept {
  const home = join(dataDir, 'temporal');
  mkdirSync(home, { recursive: true });
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', join(home, 'temporal.db'), '--log-level', 'error', '--namespace', 'default'],
    ...pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...dynamicConfig.flatMap((value) => ['--dynamic-config-value', value]),
  ];
  return keepRunning({
    name: 'temporal',
    dataDir,
    say,
    stopDeadlineMs,
    start: () =>
      startDaemon({
        name: 'temporal',
        dataDir,
        command: binary,
        args,
        cwd: home,
        // Go hands memory back more eagerly; a soft limit, so a burst may pass it.
        env: { ...process.env, GOMEMLIMIT: '400MiB' },
      }),
    isReady: () => answers(`127.0.0.1:${port}`),
  });
}

async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } finally {
    await connection.close();
  }
}
