import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildIdOf } from '../../platform/deployment';
import { workflowBundlePath } from '../../platform/temporal';

/**
 * The workflow code of every version that may have open rides, in the data directory beside their data: a ride is
 * pinned to the code that it began with, and the next build overwrites dist/.
 */
export interface Bundle {
  readonly buildId: string;
  readonly path: string;
}

const bundleDir = (dataDir: string): string => join(dataDir, 'bundles');
const kept = /^([0-9a-f]{12})\.js$/;

/** Copies the build's bundle into the data directory, if it is not there yet; the processes run the copy. */
export async function keepBundle(dataDir: string, from = workflowBundlePath()): Promise<Bundle> {
  const buildId = await buildIdOf(from);
  const path = join(bundleDir(dataDir), `${buildId}.js`);
  await mkdir(bundleDir(dataDir), { recursive: true });
  // Whole or not at all, whatever kills us meanwhile.
  await copyFile(from, `${path}.new`);
  await rename(`${path}.new`, path);
  return { buildId, path };
}

/** All that are kept, the current one among them. */
export async function keptBundles(dataDir: string): Promise<Bundle[]> {
  const files = await readdir(bundleDir(dataDir)).catch(() => []);
  return files.flatMap((file) => {
    const buildId = kept.exec(file)?.[1];
    return buildId === undefined ? [] : [{ buildId, path: join(bundleDir(dataDir), file) }];
  });
}

export const dropBundle = ({ path }: Bundle): Promise<void> => rm(path, { force: true });
