import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where a server's data lies, until nothing more can be written there. */
export interface SmallDisk {
  readonly dir: string;
  fill(): void;
  free(): void;
  /** Nothing may use it any more. */
  remove(): void;
}

export interface SmallDiskOptions {
  readonly dir: string;
  readonly megabytes: number;
  /** The server that writes there, while it runs. */
  readonly pid: () => number | undefined;
}

/**
 * A small filesystem in memory, really full when it is filled (ENOSPC), where one can be mounted: that takes root, and in
 * a container the right to. Anywhere else on Linux a folder whose server's files may not be written any more (EFBIG, by the
 * kernel's limit for a process): harder than a full disk, as it takes what is overwritten, too.
 */
export function smallDisk(options: SmallDiskOptions): SmallDisk {
  mkdirSync(options.dir, { recursive: true });
  return mounted(options) ?? limited(options);
}

function mounted({ dir, megabytes }: SmallDiskOptions): SmallDisk | undefined {
  try {
    const how = `size=${megabytes}m,mode=0711`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', how, 'hailway-small', dir], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  const filler = join(dir, 'filler');
  return {
    dir,
    fill() {
      const file = openSync(filler, 'w');
      try {
        for (const size of [1_048_576, 4_096]) writeUntilFull(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove: () => void execFileSync('umount', [dir], { stdio: 'pipe' }),
  };
}

/** Takes a small disk away where there is one, whoever may use it: its servers were killed. */
export function unmount(dir: string): void {
  spawnSync('umount', ['--lazy', dir], { stdio: 'ignore' });
}

function writeUntilFull(file: number, chunk: Buffer): void {
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

const LOOK_EVERY_MS = 50;

function limited({ dir, pid }: SmallDiskOptions): SmallDisk {
  const held = new Set<number>();
  let looking: NodeJS.Timeout | undefined;
  // Whoever is started again, or forked meanwhile, finds it full, too.
  const hold = (): void => {
    for (const each of family(pid())) {
      if (!held.has(each) && limit(each, '0')) held.add(each);
    }
  };
  const free = (): void => {
    clearInterval(looking);
    for (const each of held) limit(each, 'unlimited');
    held.clear();
  };
  return {
    dir,
    fill() {
      hold();
      looking = setInterval(hold, LOOK_EVERY_MS);
    },
    free,
    remove: free,
  };
}

/** Sets what a process may write to a file up to, in bytes. @returns false when it is gone */
function limit(pid: number, bytes: string): boolean {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { stdio: 'pipe' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('no disk can be filled here: it takes root, or prlimit (util-linux)', { cause: error });
    return false;
  }
}

/** A process and its children. */
function family(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    return [
      pid,
      ...readdirSync(`/proc/${pid}/task`).flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
      ),
    ];
  } catch {
    return [];
  }
}
