import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands before a Postgres server and can lose what it answers to a commit: the commit stands, nobody hears of it. */
export interface LosingProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Resolves when the answer to a commit after a statement with this text has been withheld. */
  loseCommitAfter(text: string): Promise<void>;
  close(): void;
}

export async function losingProxy(databaseUrl: string): Promise<LosingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let wanted: { text: string; lost: () => void } | undefined;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let said = '';
    let deaf = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => void (client.destroy(), upstream.destroy()));
    }
    client.on('data', (chunk) => {
      said = (said + chunk.toString('latin1')).slice(-10_000);
      if (wanted && said.includes(wanted.text) && /commit\0$/.test(said)) {
        deaf = true;
        wanted.lost();
        wanted = undefined;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => void (deaf || client.write(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    loseCommitAfter: (text) => new Promise((lost) => (wanted = { text, lost })),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
