import { createServer, type AddressInfo, type Server } from 'node:net';
import { createPool, isRetriable, migrate, outboxMigrations, withTransaction } from '../../platform/postgres';

/** A message of Postgres': its letter, its length and what it says. */
function message(letter: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(letter), length, body]);
}
const welcome = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const terminated = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Terminates each connection with the word that it is ready, in one piece. @returns its URL */
async function terminating(): Promise<string> {
  server = createServer((client) => {
    client.on('error', () => {});
    client.once('data', () => client.end(Buffer.concat([welcome, ready, terminated])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `postgres://nobody:nothing@127.0.0.1:${(server.address() as AddressInfo).port}/none`;
}

test('a connection that is terminated the moment it is taken is an error of who took it, and of nobody else', async () => {
  const pool = createPool(await terminating(), { applicationName: 'test', max: 1 });
  const taken = withTransaction(pool, () => Promise.resolve()).catch((error: unknown) => error);
  expect(isRetriable(await taken)).toBe(true);
  await pool.end();
});

test('a connection that is terminated while it migrates is an error of who migrates, and of nobody else', async () => {
  const migrated = migrate(await terminating(), [outboxMigrations]).catch((error: unknown) => error);
  expect(isRetriable(await migrated)).toBe(true);
});
