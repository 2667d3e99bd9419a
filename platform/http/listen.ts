import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { ConfigError } from '../config';
import type { AppState } from './context';

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The environment variable that moves the port: named when it is taken. */
  readonly portVariable: string;
  readonly host?: string;
  /** How long requests in flight may go on once closing has begun. */
  readonly closeGraceMs?: number;
}

export interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  /** Takes no more connections, ends event streams, lets requests in flight finish within the grace. */
  close(): Promise<void>;
}

/** @throws ConfigError the port is taken or may not be used; names the variable that moves it. */
export async function listen(app: Express, options: ListenOptions): Promise<Listening> {
  const { port, portVariable, host = '127.0.0.1', closeGraceMs = 5_000 } = options;
  const state = app.locals.hailway as AppState | undefined;
  const server = createServer((req, res) => {
    if (!state?.takeDirect?.(req, res)) app(req, res);
  });
  // Longer than load balancers keep theirs, so that it is never us who close a connection just taken for a request.
  server.keepAliveTimeout = 65_000;
  server.headersTimeout = 70_000;
  server.requestTimeout = 30_000;

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
        const why = error.code === 'EADDRINUSE' ? 'is taken' : 'may not be used';
        reject(new ConfigError(`port ${port} on ${host} ${why}: set ${portVariable} to a free port`));
      } else reject(error);
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const urlHost = host === '0.0.0.0' ? '127.0.0.1' : host;
  return {
    server,
    port: address.port,
    url: `http://${urlHost}:${address.port}`,
    close: () => closeServer(server, state, closeGraceMs),
  };
}

async function closeServer(server: Server, state: AppState | undefined, graceMs: number): Promise<void> {
  if (!server.listening) return;
  if (state) state.stopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  state?.streams.closeAll();
  // A connection whose request was in flight when closing began becomes idle only later.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
