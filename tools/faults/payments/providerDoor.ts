import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before the provider, and can cut a request off at a wanted moment. */
export interface ProviderDoor {
  readonly url: string;
  /**
   * The next POST to such a path meets its end: `beforeCall` the provider never hears of it, `beforeAnswer` it has
   * answered and nobody hears that. `onHit` is called at that very moment, once.
   */
  arm(what: { path: RegExp; point: 'beforeCall' | 'beforeAnswer'; onHit: () => void }): void;
  close(): Promise<void>;
}

/** Opens a door to the provider at `target`. */
export async function openProviderDoor(target: string): Promise<ProviderDoor> {
  let armed: Parameters<ProviderDoor['arm']>[0] | undefined;

  const server = createServer((req, res) => {
    const hit = armed && req.method === 'POST' && armed.path.test(pathOf(req)) ? armed : undefined;
    if (hit) armed = undefined;
    if (hit?.point === 'beforeCall') {
      hit.onHit();
      req.socket.destroy();
      return;
    }
    forward(req, target)
      .then((answer) => {
        if (!hit) return reply(res, answer);
        hit.onHit();
        req.socket.destroy();
      })
      .catch(() => req.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm(what) {
      armed = what;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Asks the provider, and hears it to its end. */
async function forward(req: IncomingMessage, target: string): Promise<Answer> {
  const { method, headers } = req;
  const asked = request(new URL(req.url ?? '/', target), { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
  asked.end(await bodyOf(req));
  const answer = await answered;
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await bodyOf(answer) };
}

function reply(res: ServerResponse, { status, headers, body }: Answer): void {
  const { connection: _, 'transfer-encoding': __, ...kept } = headers;
  res.writeHead(status, { ...kept, 'content-length': body.length }).end(body);
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const pathOf = (req: IncomingMessage): string => new URL(req.url ?? '/', 'http://provider').pathname;
