import { connect, type Socket } from 'node:net';

/**
 * Event streams' readers in a process of their own, over bare sockets: what they need is not counted as the gateway's.
 * Its parent's messages are `Order`s, each answered by one message.
 */
export type Order =
  | {
      readonly open: readonly string[];
      readonly port: number;
      readonly token: string;
    }
  | { readonly seen: readonly string[] }
  | { readonly closeAll: true };

interface Reader {
  readonly socket: Socket;
  status: number;
  /** Of all its events, also those of connections before. */
  readonly ids: number[];
  rest: string;
}

const readers = new Map<string, Reader>();
const atOnce = 100;

/** Opens a stream, after the last event seen if there is one, and resolves when it is answered or over. */
function open(path: string, port: number, token: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const reader: Reader = { socket, status: 0, ids: readers.get(path)?.ids ?? [], rest: '' };
    readers.set(path, reader);
    const last = reader.ids.at(-1);
    const resume = last === undefined ? '' : `last-event-id: ${last}\r\n`;
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${token}\r\n${resume}accept: text/event-stream\r\n\r\n`,
    );
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      read(reader, String(text));
      if (reader.ids.length > 0) resolve();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

function read(reader: Reader, text: string): void {
  const lines = (reader.rest + text).split('\n');
  reader.rest = lines.pop() ?? '';
  for (const line of lines) {
    const id = /^id: (\d+)$/.exec(line)?.[1];
    if (id !== undefined) reader.ids.push(Number(id));
    reader.status ||= Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0);
  }
}

async function obey(order: Order): Promise<unknown> {
  if ('closeAll' in order) {
    for (const { socket } of readers.values()) socket.destroy();
    readers.clear();
    return {};
  }
  if ('seen' in order) return Object.fromEntries(order.seen.map((path) => [path, readers.get(path)?.ids]));
  const paths = [...order.open];
  const opener = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      await open(path, order.port, order.token);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, opener));
  const statuses: Record<string, number> = {};
  for (const path of order.open) {
    const { status, socket } = readers.get(path)!;
    const outcome = socket.destroyed ? `${status} closed` : String(status);
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
  }
  return statuses;
}

process.on('message', (order: Order) => {
  void obey(order).then((answer) => process.send!(answer));
});
process.on('disconnect', () => process.exit());
