import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second for everybody (`getconf CLK_TCK`). */
const msPerTick = 10;

/**
 * The CPU time of all children of this process that have ended so far, killed or not, with all their threads, in
 * milliseconds. Linux only.
 */
export function endedChildrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // Behind the name, which is in brackets and may hold spaces; cutime and cstime are fields 16 and 17 of proc(5).
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15);
  return (Number(user) + Number(system)) * msPerTick;
}
