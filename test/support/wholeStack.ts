import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { takeParts } from '../../tools/stack/parts';
import { projectRoot } from '../../tools/stack/places';
import { freePorts } from '../../tools/stack/ports';
import { silent, type Say } from '../../tools/stack/say';
import { startStack, type Stack } from '../../tools/stack/stack';

export interface WholeStackOptions {
  /** Durations of the policies are divided by it (1). */
  readonly speed?: number;
  /** Of an earlier stack that was stopped, to start it again on its data; otherwise a new one. */
  readonly dataDir?: string;
  /** More environment variables for its processes. */
  readonly env?: NodeJS.ProcessEnv;
  readonly say?: Say;
  /** The path of another bundle of the workflows than the build's. */
  readonly workflowBundle?: string;
}

/** Variables that mean the servers which all tests share, or this run of jest. */
const notForIt = [
  ...['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS', 'HAILWAY_TEMPORAL_UI_URL'],
  'HAILWAY_TEST_PARTS',
];

/**
 * A whole Hailway of a test's own: servers and processes on free ports, with data in the run's temporary folder.
 * Takes about ten seconds and 2 GB: one at a time, and `stop()` at the end.
 */
export async function startWholeStack(options: WholeStackOptions = {}): Promise<Stack> {
  await prepareProcesses();
  const env: NodeJS.ProcessEnv = { LOG_LEVEL: 'info', ...process.env, ...options.env };
  for (const name of notForIt) delete env[name];
  const say = options.say ?? silent;
  return startStack({
    parts: await takeParts({ env, say }),
    dataDir: options.dataDir ?? newDataDir(),
    ports: await freePorts(),
    speed: options.speed ?? 1,
    say,
    env,
    ...(options.workflowBundle === undefined ? {} : { workflowBundle: options.workflowBundle }),
  });
}

/** Builds what processes of Hailway's run, where that is not done. */
export async function prepareProcesses(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(projectRoot(), 'tools', 'stack', 'prepare.mjs')]);
}

/** A place for a stack's data that goes when the run of jest ends. */
export function newDataDir(): string {
  const dir = process.env.HAILWAY_TEST_DIR;
  if (!dir) throw new Error('HAILWAY_TEST_DIR is not set: run this with jest');
  return join(dir, `stack-${randomBytes(4).toString('hex')}`);
}
