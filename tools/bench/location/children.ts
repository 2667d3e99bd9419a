import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { processNamed } from '../../stack/processes';

/** What the location process runs on, for those that do its work. */
export const locationEnv = processNamed('location').env;

/** Starts a process of this folder, which is told an order and then answers each message with one. */
export const begin = (name: string, order: object, env: NodeJS.ProcessEnv = {}): ChildProcess =>
  fork(join(__dirname, `${name}.js`), [JSON.stringify(order)], {
    env: { ...env, ...process.env },
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });

/** Sends a message and waits for the answer. */
export function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the bench has ended'));
    child.once('exit', ended);
    child.once('message', (report: T) => {
      child.off('exit', ended);
      resolve(report);
    });
    child.send(message, (error) => error && reject(error));
  });
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  await ended;
}
