import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';

export const roles = ['rider', 'driver', 'fleet', 'operator', 'service'] as const;
export type Role = (typeof roles)[number];

export interface TokenRequest {
  readonly role: Role;
  /** Whom the token is for: an opaque id. */
  readonly sub: string;
  /** How long it is good for (12 hours). */
  readonly ttlSeconds?: number;
}

/** The embedded stack's own issuer of tokens. In production an identity provider is in its place. */
export interface Issuer {
  /** The path of the public keys. */
  readonly jwksPath: string;
  mintToken(request: TokenRequest): Promise<string>;
}

/** What the verifiers expect; platform/config.ts has the same by default. */
export const issuerName = 'hailway-local';
export const audience = 'hailway';

const defaultTtlSeconds = 12 * 60 * 60;

const issuerDir = (dataDir: string): string => join(dataDir, 'issuer');

export const hasIssuer = (dataDir: string): boolean => existsSync(join(issuerDir(dataDir), 'private.json'));

/** Opens the issuer of a data directory; its key pair (ES256) is made on the first call and kept. */
export async function openIssuer(dataDir: string): Promise<Issuer> {
  const dir = issuerDir(dataDir);
  const privatePath = join(dir, 'private.json');
  const jwksPath = join(dir, 'jwks.json');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!hasIssuer(dataDir)) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const kid = randomBytes(8).toString('hex');
    await writeWhole(privatePath, { ...(await exportJWK(privateKey)), alg: 'ES256', kid });
  }
  const jwk = JSON.parse(await readFile(privatePath, 'utf8')) as JWK & { kid: string };
  const { d: _private, ...publicJwk } = jwk;
  await writeWhole(jwksPath, { keys: [{ ...publicJwk, use: 'sig' }] });
  const key = await importJWK(jwk, 'ES256');
  return {
    jwksPath,
    mintToken: ({ role, sub, ttlSeconds = defaultTtlSeconds }) =>
      new SignJWT({ role })
        .setProtectedHeader({ alg: 'ES256', kid: jwk.kid })
        .setSubject(sub)
        .setIssuer(issuerName)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1_000) + ttlSeconds)
        .sign(key),
  };
}

/** Secrets of one stack, made on the first start and kept: quotes, start codes and database roles depend on them. */
export interface Secrets {
  of(name: string): string;
}

export async function openSecrets(dataDir: string): Promise<Secrets> {
  const path = join(issuerDir(dataDir), 'secret.json');
  await mkdir(issuerDir(dataDir), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) await writeWhole(path, { root: randomBytes(32).toString('hex') });
  const { root } = JSON.parse(await readFile(path, 'utf8')) as { root: string };
  return { of: (name) => createHash('sha256').update(`${root}/${name}`).digest('hex').slice(0, 40) };
}

/** Half a file would be worse than none: written beside, then renamed. Readable by us only. */
async function writeWhole(path: string, content: object): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
