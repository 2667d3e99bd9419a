import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { subjectId } from '../../contracts/shared';
import { callerOf, createRequireRole, createVerifier, rememberCallers } from '../../platform/auth';
import { createHttpApp, listen, type Listening } from '../../platform/http';
import { createLogger } from '../../platform/log';
import { requireShape } from '../../workflows/updateArguments';

const issuer = 'hailway-test';
const audience = 'hailway';
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let dir: string;
let jwks: string;
let keys: Keys;

/** Writes the set with these keys; the time stamp is what tells a reader that it is new. */
async function publish(at: number, ...pairs: [string, Keys][]): Promise<void> {
  const set = await Promise.all(
    pairs.map(async ([kid, pair]) => ({
      ...(await exportJWK(pair.publicKey)),
      kid,
      alg: 'EdDSA',
      use: 'sig',
    })),
  );
  writeFileSync(jwks, JSON.stringify({ keys: set }));
  utimesSync(jwks, at, at);
}

interface Claims {
  role?: string;
  sub?: string;
  iss?: string;
  aud?: string;
  expiresIn?: string;
}

function token(pair: Keys, kid: string, claims: Claims = {}): Promise<string> {
  const { role = 'rider', sub = 'rider-1', iss = issuer, aud = audience, expiresIn = '5m' } = claims;
  return new SignJWT(role === '' ? {} : { role })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .setSubject(sub)
    .setIssuer(iss)
    .setAudience(aud)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(pair.privateKey);
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hailway-auth-'));
  jwks = join(dir, 'jwks.json');
  keys = await generateKeyPair('EdDSA');
  await publish(1_000, ['k1', keys]);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('createVerifier', () => {
  it('says who calls', async () => {
    const verify = createVerifier({ jwks, issuer, audience });
    expect(await verify(await token(keys, 'k1', { role: 'driver', sub: 'd7' }))).toEqual({
      sub: 'd7',
      role: 'driver',
    });
  });

  it.each([
    ['expired', { expiresIn: '-1m' }, 'the token has expired'],
    ['from another issuer', { iss: 'else' }, 'the token is not valid'],
    ['for another audience', { aud: 'else' }, 'the token is not valid'],
    ['without a role', { role: '' }, 'the token is not valid'],
    ['without a subject', { sub: '' }, 'the token names no subject or role'],
  ])('refuses a token that is %s', async (_what, claims, message) => {
    const verify = createVerifier({ jwks, issuer, audience });
    await expect(verify(await token(keys, 'k1', claims))).rejects.toMatchObject({
      code: 'unauthenticated',
      message,
    });
  });

  it.each([
    ['ops-1', true],
    ['Jane_7', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['auth0|7', false],
    ['jane@corp.com', false],
    ['jane\n', false],
    ['jané', false],
  ])('takes the subject %j as facts and Updates do: %p', async (sub, isTaken) => {
    const verify = createVerifier({ jwks, issuer, audience });
    const verified = verify(await token(keys, 'k1', { sub }));
    if (isTaken) expect(await verified).toMatchObject({ sub });
    else await expect(verified).rejects.toMatchObject({ code: 'forbidden' });
    expect(subjectId.safeParse(sub).success).toBe(isTaken);
    const update = (): void => requireShape('waiveFee', { by: 'person' }, { by: sub });
    if (isTaken) update();
    else expect(update).toThrow('by (letters, digits, _ and -, at most 64)');
  });

  it("refuses another's signature, a shared secret, none, and garbage", async () => {
    const verify = createVerifier({ jwks, issuer, audience });
    const shared = await new SignJWT({ role: 'rider' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setSubject('x')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode('x'.repeat(32)));
    const parts = (await token(keys, 'k1')).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`;
    const other = await token(await generateKeyPair('EdDSA'), 'k1');
    for (const bad of [other, shared, none, 'garbage', '']) {
      await expect(verify(bad)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('refuses an algorithm that is not ours, whatever the key could do', async () => {
    const rsa = await generateKeyPair('PS256');
    const path = join(dir, 'rsa.json');
    writeFileSync(path, JSON.stringify({ keys: [{ ...(await exportJWK(rsa.publicKey)), kid: 'r1' }] }));
    const signed = await new SignJWT({ role: 'rider' })
      .setProtectedHeader({ alg: 'PS256', kid: 'r1' })
      .setSubject('x')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('5m')
      .sign(rsa.privateKey);
    const verify = createVerifier({ jwks: path, issuer, audience });
    await expect(verify(signed)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('finds keys that were added after it had read the set', async () => {
    const verify = createVerifier({ jwks, issuer, audience });
    await verify(await token(keys, 'k1'));
    const next = await generateKeyPair('EdDSA');
    await expect(verify(await token(next, 'k2'))).rejects.toMatchObject({ code: 'unauthenticated' });
    await publish(2_000, ['k1', keys], ['k2', next]);
    expect(await verify(await token(next, 'k2'))).toMatchObject({ role: 'rider' });
  });

  it('does not blame the token when there are no keys', async () => {
    for (const missing of [join(dir, 'missing.json'), 'http://127.0.0.1:9/jwks']) {
      const verify = createVerifier({ jwks: missing, issuer, audience });
      await expect(verify(await token(keys, 'k1'))).rejects.toMatchObject({ code: 'dependency_unavailable' });
    }
  });
});

describe('requireRole', () => {
  let server: Listening;
  beforeAll(async () => {
    const requireRole = createRequireRole(createVerifier({ jwks, issuer, audience }));
    const app = createHttpApp({
      log: createLogger('test', 'silent'),
      ready: {},
      routes: (router) => {
        router.get('/mine', requireRole('rider', 'operator'), (req, res) => void res.json(callerOf(req)));
      },
    });
    server = await listen(app, { port: 0, portVariable: 'X' });
  });
  afterAll(() => server.close());

  it.each([
    ['no token', undefined, 401],
    ['another scheme', 'Basic abc', 401],
    ['garbage', 'Bearer abc', 401],
    ["a driver's token", 'driver', 403],
    ["an operator's token", 'operator', 200],
  ])('answers %s as it should', async (_what, credential, status) => {
    const isRole = credential !== undefined && !credential.includes(' ');
    const authorization = isRole ? `Bearer ${await token(keys, 'k1', { role: credential })}` : credential;
    const response = await fetch(`${server.url}/mine`, { headers: authorization ? { authorization } : {} });
    expect(response.status).toBe(status);
    if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer');
    if (status === 200) expect(await response.json()).toEqual({ sub: 'rider-1', role: 'operator' });
  });
});

test('a token that was good is good for a minute without its signature being checked, and no longer than it says', async () => {
  let nowMs = Date.now();
  let checked = 0;
  const verify = createVerifier({ jwks, issuer, audience });
  const remembering = rememberCallers(
    (text) => {
      checked += 1;
      return verify(text);
    },
    () => nowMs,
  );
  const lasting = await token(keys, 'k1');
  const short = await token(keys, 'k1', { expiresIn: '30s' });
  for (const text of [lasting, lasting, short, short])
    expect(await remembering(text)).toEqual({ sub: 'rider-1', role: 'rider' });
  expect(checked).toBe(2);
  nowMs += 31_000;
  await remembering(lasting);
  expect(checked).toBe(2);
  await remembering(short);
  expect(checked).toBe(3);
  nowMs += 30_000;
  await remembering(lasting);
  expect(checked).toBe(4);
  const forged = `${lasting.slice(0, -8)}AAAAAAAA`;
  await expect(remembering(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(remembering(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
});
