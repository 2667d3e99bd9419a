import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { asOperator, getFromApi, postToApi } from '../../tools/cli/operatorApi';
import { openIssuer } from '../../tools/stack/issuer';

test('a command that takes long has a token for each request that is good then', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hailway-operator-'));
  await openIssuer(dataDir);
  let nowMs = Date.now();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  const server = createServer(({ headers: { authorization } }, response) => {
    const { exp } = decodeJwt(String(authorization).replace('Bearer ', ''));
    response.statusCode = exp! * 1_000 > nowMs ? 200 : 401;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const env = { GATEWAY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const code = await asOperator({ 'data-dir': dataDir }, env, async (sources) => {
      await getFromApi(sources, '/first', {}, z.object({}));
      nowMs += 61_000;
      await getFromApi(sources, '/second', {}, z.object({}));
      nowMs += 61_000;
      await postToApi(sources, '/third', {}, z.object({}));
      return 0;
    });
    expect(code).toBe(0);
  } finally {
    clock.mockRestore();
    server.close();
    server.closeAllConnections();
    rmSync(dataDir, { recursive: true });
  }
});
