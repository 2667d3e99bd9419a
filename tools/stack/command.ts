import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Killed after this long (10 minutes). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
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
  const { timeoutMs = 600_000, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...spawnOptions,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-100_000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => reject(new CommandFailed(`${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      const text = output.trim();
      if (code === 0) return resolve(text);
      const end = text.split('\n').slice(-5).join(' / ').slice(-600);
      reject(new CommandFailed(`${command} ended with ${code ?? signal}${end === '' ? '' : `: ${end}`}`));
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
