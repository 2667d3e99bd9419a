import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from '../signals';

export interface DaemonSpec {
  readonly name: string;
  readonly dataDir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** With an IPC channel, by whose end the child learns that we died. */
  readonly ipc?: boolean;
}

/** A process in a group of its own, which a Ctrl-C in our terminal does not reach. */
export interface Daemon {
  readonly pid: number;
  /** How it ended, in words, with its exit code. */
  readonly exited: Promise<Exit>;
  readonly child: ChildProcess;
}

export interface Exit {
  readonly reason: string;
  readonly code: number | null;
}

const LOG_KEPT_BYTES = 20_000_000;

const logPath = (dataDir: string, name: string): string => join(dataDir, 'logs', `${name}.log`);
const pidPath = (dataDir: string, name: string): string => join(dataDir, 'run', `${name}.json`);

/** Starts a process that writes to `<dataDir>/logs/<name>.log` and is remembered in `<dataDir>/run/<name>.json`. */
export async function startDaemon(spec: DaemonSpec): Promise<Daemon> {
  const { name, dataDir, command, args, ipc = false, env, cwd, uid, gid } = spec;
  mkdirSync(join(dataDir, 'run'), { recursive: true });
  const log = openLog(dataDir, name);
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      detached: true,
      stdio: ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      ...definedOnly({ env, cwd, uid, gid }),
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.on('exit', (code, signal) =>
      resolve({ code, reason: signal === null ? `exit code ${code}` : signal }),
    );
    child.on('error', (error) => resolve({ code: null, reason: error.message }));
  });
  if (child.pid === undefined) throw new Error(`${name}: ${(await exited).reason}`);
  const pid = child.pid;
  const record: PidRecord = { pid, startedAt: startTimeOf(pid) ?? '' };
  try {
    await writeFile(pidPath(dataDir, name), JSON.stringify(record));
  } catch (error) {
    // A full disk. One that nobody remembers would stand in the way of every later one.
    sendSignal(-pid, 'SIGKILL');
    throw error;
  }
  void exited.then(() => forget(dataDir, name, pid));
  return { pid, exited, child };
}

function definedOnly<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function openLog(dataDir: string, name: string): number {
  const path = logPath(dataDir, name);
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  if (existsSync(path) && statSync(path).size > LOG_KEPT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

/** The last lines a process wrote: what a person wants to see when it does not start. */
export async function endOfLog(dataDir: string, name: string, lines = 5): Promise<string> {
  const text = await readFile(logPath(dataDir, name), 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n').slice(-2_000);
}

interface PidRecord {
  readonly pid: number;
  /** The kernel's word on when it started: another process with the same number has another. */
  readonly startedAt: string;
}

/** When a process started, in the system's own terms; undefined when there is none, or it is a zombie. */
export function startTimeOf(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, in brackets, may hold spaces: fields are counted after it. The 1st is the state, the 20th the time.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function readRecord(path: string): PidRecord | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as PidRecord;
    return Number.isInteger(pid) && pid > 1 ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

function forget(dataDir: string, name: string, pid: number): void {
  const path = pidPath(dataDir, name);
  if (readRecord(path)?.pid === pid) rmSync(path, { force: true });
}

/** The process that an earlier start left behind under this name, if it still is that process. */
export function leftOver(dataDir: string, name: string): number | undefined {
  const record = readRecord(pidPath(dataDir, name));
  if (record === undefined) return undefined;
  return record.startedAt !== '' && startTimeOf(record.pid) === record.startedAt ? record.pid : undefined;
}

/** Names of all processes that this data directory remembers. */
export function rememberedNames(dataDir: string): string[] {
  const dir = join(dataDir, 'run');
  const files = existsSync(dir) ? readdirSync(dir) : [];
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
}

/** Ends what an earlier start left behind under this name, and forgets it. @returns whether there was something */
export async function stopLeftOver(
  dataDir: string,
  name: string,
  how: { readonly signal: NodeJS.Signals; readonly deadlineMs: number },
): Promise<boolean> {
  const pid = leftOver(dataDir, name);
  if (pid !== undefined) await endProcess(pid, how);
  await rm(pidPath(dataDir, name), { force: true });
  return pid !== undefined;
}

/**
 * Asks a process to end and, past the deadline, kills its whole group. Only for processes known to be ours.
 * Returns once it is gone.
 */
export async function endProcess(
  pid: number,
  { signal, deadlineMs }: { readonly signal: NodeJS.Signals; readonly deadlineMs: number },
): Promise<void> {
  const startedAt = startTimeOf(pid);
  if (startedAt === undefined) return;
  const deadline = Date.now() + deadlineMs;
  sendSignal(pid, signal);
  let killed = signal === 'SIGKILL';
  while (startTimeOf(pid) === startedAt) {
    if (!killed && Date.now() >= deadline) {
      sendSignal(-pid, 'SIGKILL');
      sendSignal(pid, 'SIGKILL');
      killed = true;
    }
    await delay(20);
  }
}
