import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request to a provider, as it was sent, and what was answered. */
export interface RecordedCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** A form. */
  readonly body: string;
  readonly status: number;
  readonly answer: unknown;
}

/** Stands before a provider, passes every request on, and remembers it with its answer. */
export interface Recorder {
  readonly url: string;
  readonly calls: RecordedCall[];
  stop(): Promise<void>;
}

/** Headers that belong to one connection. */
const ofTheConnection = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'content-encoding',
]);

export async function startRecorder(providerUrl: string): Promise<Recorder> {
  const calls: RecordedCall[] = [];
  const server = createServer((req, res) => {
    void text(req).then(async (body) => {
      const { method = '', url: path = '' } = req;
      const headers = Object.entries(req.headers).filter(([name]) => !ofTheConnection.has(name));
      const response = await fetch(new URL(path, providerUrl), {
        method,
        headers: headers as [string, string][],
        ...(method === 'GET' ? {} : { body }),
      });
      const answer = await response.json();
      calls.push({ method, path, body, status: response.status, answer });
      const passed = [...response.headers].filter(([name]) => !ofTheConnection.has(name));
      res.writeHead(response.status, Object.fromEntries(passed)).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
