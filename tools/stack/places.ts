import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { projectRoot } from '../../platform/root';

export { projectRoot };

/** Whether this process is root: Postgres then needs a user of its own, who cannot look into root's home. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/** Whether everybody may walk down to this path; of what is not there yet, its nearest folder is asked. */
export function everybodyCanReach(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** Postgres's own user cannot walk down to the data directory. */
export class DataDirUnreachable extends Error {
  override readonly name = 'DataDirUnreachable';
}

/** Where parts are kept for all clones of this user. */
export function cacheDir(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hailway');
}

/** The same for what Postgres's own user must reach. */
export function publicCacheDir(env: NodeJS.ProcessEnv): string {
  const usual = cacheDir(env);
  return isRoot() && !everybodyCanReach(usual) ? '/var/cache/hailway' : usual;
}

/**
 * Where the stack's data lies unless told otherwise: in the clone, or, where root has cloned into a place that
 * Postgres's user cannot reach, below /var/lib/hailway.
 */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (env.HAILWAY_DATA_DIR) return resolve(env.HAILWAY_DATA_DIR);
  const root = projectRoot();
  const usual = join(root, '.hailway');
  if (!isRoot() || everybodyCanReach(usual)) return usual;
  const clone = createHash('sha256').update(root).digest('hex').slice(0, 8);
  return join('/var/lib/hailway', `${basename(root)}-${clone}`);
}

/** The executables of this name on the PATH, first found first. */
export function onPath(name: string, env: NodeJS.ProcessEnv): string[] {
  const found = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .filter(isExecutable);
  return [...new Set(found)];
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
