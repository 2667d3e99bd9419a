import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from './servers/daemon';

/** Another stack lives on this data directory. */
export class DataDirLocked extends Error {
  override readonly name = 'DataDirLocked';
}

/**
 * Takes a data directory for this process. The lock of a process that is gone is taken over.
 * @returns a function that gives it back
 * @throws DataDirLocked
 */
export function lockDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'lock');
  const holder = takeLock(path);
  if (holder !== undefined) {
    throw new DataDirLocked(
      `${dataDir} is in use by another start (process ${holder}): stop that one, or give this one a folder with --data-dir`,
    );
  }
  return () => rmSync(path, { force: true });
}

/**
 * Makes a file this process's, for as long as it lives.
 * @returns the process whose it is already, be it this one
 */
export function takeLock(path: string): number | undefined {
  const ours = `${path}.${process.pid}`;
  writeFileSync(ours, JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) }));
  try {
    for (;;) {
      try {
        // A link appears whole and only once, which a file being written does not.
        linkSync(ours, path);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = holderOf(path);
        if (holder !== undefined) return holder;
        rmSync(path, { force: true });
      }
    }
  } finally {
    rmSync(ours, { force: true });
  }
}

/** The process whose stack lives on a data directory now. */
export const stackHolder = (dataDir: string): number | undefined => holderOf(join(dataDir, 'lock'));

function holderOf(path: string): number | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; startedAt: string };
    return startTimeOf(pid) === startedAt ? pid : undefined;
  } catch {
    return undefined;
  }
}
