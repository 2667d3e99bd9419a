import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const keepAliveMs = 60_000;

/** Opens a broker's connection as kafkajs does it by itself. */
export const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // Its types have them always; there are none without TLS.
  const tls = ssl as typeof ssl | undefined;
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = tls
    ? connectTls({ host, port, ...servername, ...tls }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, keepAliveMs);
  // Each of kafkajs's tries to end one that is not connected yet listens for that, while a broker is away many times.
  socket.setMaxListeners(0);
  return socket;
};
