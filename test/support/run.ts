import type { ChildProcess } from 'node:child_process';
import type { Servers } from '../../tools/stack/servers';

/** What a run of jest must give back at its end. */
export interface TestRun {
  /** Cleans up after us when we are killed: it reads our end of its stdin. */
  readonly guard: ChildProcess;
  readonly servers?: Servers;
  readonly ownPostgres?: boolean;
}

// Jest loads setup and teardown apart from each other: the process is what they share.
const place = globalThis as { hailwayTestRun?: TestRun };

export const keepForTeardown = (run: TestRun): void => void (place.hailwayTestRun = run);
export const keptRun = (): TestRun | undefined => place.hailwayTestRun;
