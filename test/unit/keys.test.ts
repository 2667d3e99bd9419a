import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVerifier } from '../../platform/auth';
import { ensureKeys } from '../../tools/keys';

const names = { issuer: 'hailway-local', audience: 'hailway' };
let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'hailway-keys-')), 'keys');
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }));

describe('the keys of a stack', () => {
  it('make tokens that its services take', async () => {
    const keys = await ensureKeys(dir, names);
    const verify = createVerifier({ jwks: keys.jwksPath, ...names });
    expect(await verify(keys.serviceToken)).toEqual({ sub: 'hailway', role: 'service' });
    expect(await verify(await keys.issue({ sub: 'r1', role: 'rider' }, '1h'))).toEqual({
      sub: 'r1',
      role: 'rider',
    });
  });

  it('are the same after a restart', async () => {
    const first = await ensureKeys(dir, names);
    const again = await ensureKeys(dir, names);
    for (const secret of ['serviceToken', 'quoteSecret', 'rideCodeSecret'] as const) {
      expect(again[secret]).toBe(first[secret]);
      expect(first[secret].length).toBeGreaterThan(40);
    }
    const verify = createVerifier({ jwks: first.jwksPath, ...names });
    await expect(verify(await again.issue({ sub: 'r1', role: 'rider' }, '1h'))).resolves.toBeDefined();
  });

  it('keep what is private to their owner', async () => {
    await ensureKeys(dir, names);
    expect(readFileSync(join(dir, 'jwks.json'), 'utf8')).not.toContain('"d"');
    for (const name of readdirSync(dir).filter((file) => file !== 'jwks.json')) {
      expect([name, statSync(join(dir, name)).mode & 0o077]).toEqual([name, 0]);
    }
  });
});
