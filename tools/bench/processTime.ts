import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second for everybody (`getconf CLK_TCK`). */
const msPerTick = 10;

/** The CPU time that a process has used so far, of all its threads, in milliseconds. Linux only. */
export function cpuMsOf(pid: number): number {
  const [user, system] = timesOf(pid) ?? [];
  if (user === undefined || system === undefined) throw new Error(`there is no process ${pid}`);
  return (user + system) * msPerTick;
}

/** The same for a process and all that it has started: those that are there and those that have ended. */
export function familyCpuMsOf(pid: number): number {
  let ticks = (timesOf(pid) ?? []).reduce((sum, time) => sum + time, 0);
  for (const entry of readdirSync('/proc')) {
    const child = Number(entry);
    if (!Number.isInteger(child) || parentOf(child) !== pid) continue;
    ticks += (timesOf(child) ?? []).slice(0, 2).reduce((sum, time) => sum + time, 0);
  }
  return ticks * msPerTick;
}

/** Fields of /proc/<pid>/stat after the name, which is in brackets and may hold spaces. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** utime, stime, and those of children that have ended: fields 14 to 17 of proc(5). */
const timesOf = (pid: number): number[] | undefined => fieldsOf(pid)?.slice(11, 15).map(Number);

const parentOf = (pid: number): number => Number(fieldsOf(pid)?.[1]);
