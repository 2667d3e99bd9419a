import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Bundles workflows of the sources into a file, as the build does with its own. */
export async function writeBundle(workflowsPath: string, path: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath });
  await writeFile(path, code);
  return path;
}

export const todaysWorkflows = require.resolve('../../workflows');
/** Of `nextVersion.ts`. */
export const nextWorkflows = require.resolve('./nextVersion');
