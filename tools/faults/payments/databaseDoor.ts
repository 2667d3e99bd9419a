import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands before Postgres, and can cut a transaction off at a wanted moment. */
export interface DatabaseDoor {
  /** The database's URL through the door. */
  readonly url: string;
  /**
   * The next transaction in which a statement has this text meets its end at its commit: `beforeCommit` Postgres never
   * hears of the commit, `beforeReport` it has committed and nobody hears that. `onHit` is called then, once.
   */
  arm(what: { text: string; point: 'beforeCommit' | 'beforeReport'; onHit: () => void }): void;
  close(): Promise<void>;
}

/** A simple query `commit` at the end of what a client has said: Postgres' message `Q`. */
const COMMIT = /Q\0{3}\x0bcommit\0$/;
/** Postgres' answer to it: `CommandComplete`. */
const COMMITTED = 'COMMIT\0';
/** A statement's text may come in several pieces. */
const REMEMBERED = 20_000;

/** Opens a door to the database at this URL. */
export async function openDatabaseDoor(databaseUrl: string): Promise<DatabaseDoor> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed: Parameters<DatabaseDoor['arm']>[0] | undefined;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const end = (): void => void (client.destroy(), upstream.destroy());
    let said = '';
    let hit: typeof armed;
    const meet = (): void => {
      hit?.onHit();
      end();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      said = (said + chunk.toString('latin1')).slice(-REMEMBERED);
      const commits = COMMIT.test(said);
      if (armed && commits && said.includes(armed.text)) {
        hit = armed;
        armed = undefined;
        if (hit.point === 'beforeCommit') return meet();
      }
      if (commits) said = '';
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (hit && chunk.toString('latin1').includes(COMMITTED)) return meet();
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    arm(what) {
      armed = what;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
