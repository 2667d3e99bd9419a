import { writeFile } from 'node:fs/promises';
import {
  bundleWorkflowCode,
  type WorkflowBundlePath,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { workflowInterceptorModules } from '../../platform/temporal';
import { fromSetup } from './fromSetup';

/** Today's workflows and what only tests start, bundled once for a run of jest. */
export const testBundle = (): WorkflowBundlePath => ({ codePath: fromSetup('HAILWAY_TEST_BUNDLE') });

/** Bundles workflows of the sources as the build does with its own, with more interceptors if the test has some. */
export const bundleOf = (
  workflowsPath: string,
  interceptors: readonly string[] = [],
): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [...workflowInterceptorModules, ...interceptors],
    logger: silent,
  });

/** The same into a file. */
export async function writeBundle(workflowsPath: string, path: string): Promise<string> {
  const { code } = await bundleOf(workflowsPath);
  await writeFile(path, code);
  return path;
}

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error };

/** Of `testWorkflows.ts`. */
export const testWorkflows = require.resolve('./testWorkflows');
export const todaysWorkflows = require.resolve('../../workflows');
/** Of `nextVersion.ts`. */
export const nextWorkflows = require.resolve('./nextVersion');
