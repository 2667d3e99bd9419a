import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a message is recognised by as it passes. */
export interface Sign {
  /** Whether it is what the client says, or the answer to it. */
  readonly of: 'request' | 'answer';
  /** Kafka's number of the request's kind; without meaning at Postgres' door. */
  readonly api?: number;
  /** What the request has in it. */
  readonly text: string;
}

/** A message that waits at the door, and all that comes behind it on its connection; others like it do so, too. */
export interface Held {
  /** Lets all of them go on. */
  pass(): void;
  /** Ends their connections: what was held is lost. */
  cut(): void;
}

/** Stands before a server, and can hold what passes at a wanted moment. */
export interface Door {
  /** host:port */
  readonly address: string;
  /** Holds the next message with this sign but `after` others; resolves when it is there. */
  arm(sign: Sign, after?: number): Promise<Held>;
  /** Ends all connections, and each new one at once, until it is opened again. */
  shut(): void;
  open(): void;
  close(): void;
}

/** Bytes on their way: a message, or a part of one. */
export interface Piece {
  readonly bytes: Buffer;
  is(sign: Sign): boolean;
}

/** Cuts what comes on one connection into pieces. `client` is what the client says, `server` the answers. */
export interface Reading {
  readonly client: (chunk: Buffer) => Piece[];
  readonly server: (chunk: Buffer) => Piece[];
}

interface Armed {
  readonly sign: Sign;
  left: number;
  readonly hit: (held: Held) => void;
  readonly waiting: Set<{ pass(): void; cut(): void }>;
}

/** Opens a door to host:port. `read` is given the door's own address, and called for each connection. */
export async function openDoor(target: string, read: (own: string) => Reading): Promise<Door> {
  const sockets = new Set<Socket>();
  let armed: Armed | undefined;
  let isShut = false;

  /** Whether it is to be held; the first one tells who has armed the door. */
  const holds = (piece: Piece): Armed | undefined => {
    if (!armed || !piece.is(armed.sign)) return undefined;
    if (armed.left > 0) {
      armed.left -= 1;
      return undefined;
    }
    return armed;
  };

  const server = createServer((client) => {
    if (isShut) return void client.destroy();
    const upstream = connect(portOf(target), hostOf(target));
    const end = (): void => void (client.destroy(), upstream.destroy());
    const reading = read(address());
    for (const [from, to, pieces] of [
      [client, upstream, reading.client],
      [upstream, client, reading.server],
    ] as const) {
      let held: Buffer[] | undefined;
      const pass = (): void => {
        for (const bytes of held ?? []) to.write(bytes);
        held = undefined;
      };
      from.setNoDelay(true);
      from.on('data', (chunk) => {
        for (const piece of pieces(chunk)) {
          const by = held ? undefined : holds(piece);
          if (by) {
            held = [];
            by.waiting.add({ pass, cut: end });
          }
          if (held) held.push(piece.bytes);
          else to.write(piece.bytes);
          by?.hit(heldOf(by));
        }
      });
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        end();
      });
    }
  });
  const heldOf = (by: Armed): Held => {
    const over = (end: 'pass' | 'cut'): void => {
      if (armed === by) armed = undefined;
      for (const one of by.waiting) one[end]();
    };
    return { pass: () => over('pass'), cut: () => over('cut') };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address: address(),
    arm: (sign, after = 0) =>
      new Promise((hit) => {
        armed = { sign, left: after, hit, waiting: new Set() };
      }),
    shut() {
      isShut = true;
      for (const socket of sockets) socket.destroy();
    },
    open: () => void (isShut = false),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

/** A text may come in two pieces. */
const REMEMBERED = 200;

/** To Postgres: statements are recognised by their text, or the name under which they were prepared. */
export async function openPostgresDoor(databaseUrl: string): Promise<Door & { readonly url: string }> {
  const url = new URL(databaseUrl);
  const door = await openDoor(`${url.hostname}:${url.port}`, () => {
    let before = '';
    return {
      client(chunk) {
        const text = before + chunk.toString('latin1');
        const known = before.length;
        before = text.slice(-REMEMBERED);
        // What was there before has been met: only what ends in this piece counts.
        const isNew = (wanted: string): boolean =>
          text.includes(wanted, Math.max(0, known - wanted.length + 1));
        return [{ bytes: chunk, is: (sign) => sign.of === 'request' && isNew(sign.text) }];
      },
      server: (chunk) => [{ bytes: chunk, is: () => false }],
    };
  });
  url.host = door.address;
  return { ...door, url: url.href };
}
