import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../stack/ports';

/** A redis-server of the bench's own, without a client library: commands in, arrays of texts out (RESP 2). */
export interface Redis {
  /** Sends commands together and waits for all answers. */
  send(commands: readonly (readonly string[])[]): Promise<unknown[]>;
  stop(): Promise<void>;
}

/** @returns null where there is no redis-server on the PATH */
export async function startRedis(): Promise<Redis | null> {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const isThere = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('spawn', () => resolve(true));
  });
  if (!isThere) return null;
  const socket = await connected(port);
  const waiting: ((answer: unknown) => void)[] = [];
  let text = '';
  socket.setEncoding('utf8').on('data', (data: string) => {
    text += data;
    for (let parsed = parse(text, 0); parsed; parsed = parse(text, 0)) {
      text = text.slice(parsed.end);
      waiting.shift()!(parsed.value);
    }
  });
  return {
    send: (commands) => {
      const answers = commands.map(() => new Promise((resolve) => waiting.push(resolve)));
      const part = (word: string): string => `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
      socket.write(commands.map((words) => `*${words.length}\r\n${words.map(part).join('')}`).join(''));
      return Promise.all(answers);
    },
    async stop() {
      socket.destroy();
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
    },
  };
}

async function connected(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return socket;
    await delay(50);
  }
}

/** One value at `from`, and where the next begins; undefined where it is not all there yet. */
function parse(text: string, from: number): { value: unknown; end: number } | undefined {
  const line = text.indexOf('\r\n', from);
  if (line < 0) return undefined;
  const head = text.slice(from + 1, line);
  const end = line + 2;
  if (text[from] === '$') {
    const length = Number(head);
    return text.length < end + length + 2
      ? undefined
      : { value: text.slice(end, end + length), end: end + length + 2 };
  }
  if (text[from] !== '*') return { value: head, end };
  const values: unknown[] = [];
  let at = end;
  for (let left = Number(head); left > 0; left--) {
    const parsed = parse(text, at);
    if (!parsed) return undefined;
    values.push(parsed.value);
    at = parsed.end;
  }
  return { value: values, end: at };
}
