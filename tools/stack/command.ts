import { spawn } from 'node:child_process';
import { sendSignal } from './signals';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Killed after this long (10 minutes). */
  readonly timeoutMs?: number;
  /** Ends it and its children. */
  readonly signal?: AbortSignal | undefined;
}

/** Ended with another code than 0, or could not be started. `message` has the last lines it wrote. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/**
 * Runs a command to its end.
 * @returns what it wrote to stdout and stderr, trimmed.
 * @throws CommandFailed
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { timeoutMs = 600_000, signal, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...spawnOptions,
      // A group of its own: a Ctrl-C reaches us first, and we end it with its children.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = (): void => {
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(kill, timeoutMs);
    signal?.addEventListener('abort', kill);
    let output = '';
    const collect = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-100_000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new CommandFailed(`${command}: ${error.message}`));
    });
    child.on('close', (code, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      const text = output.trim();
      if (code === 0) return resolve(text);
      const end = text.split('\n').slice(-5).join(' / ').slice(-600);
      reject(new CommandFailed(`${command} ended with ${code ?? killedBy}${end === '' ? '' : `: ${end}`}`));
    });
  });
}

/** What a command says of its version, or undefined when it cannot be run. */
export async function versionOf(
  command: string,
  args: string[],
  pattern: RegExp,
): Promise<string | undefined> {
  const text = await runCommand(command, args, { timeoutMs: 30_000 }).catch(() => '');
  return pattern.exec(text)?.[1];
}
