import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import type { Role } from '../contracts/api/operation';

/** The issuer of a stack that has none of its own: a key pair and secrets in a folder. */
export interface Keys {
  /** The public keys as a JSON Web Key Set: AUTH_JWKS. */
  readonly jwksPath: string;
  /** HAILWAY_SERVICE_TOKEN. */
  readonly serviceToken: string;
  /** QUOTE_SECRET and RIDE_CODE_SECRET. */
  readonly quoteSecret: string;
  readonly rideCodeSecret: string;
  /** A token for a caller; `expiresIn` as jose takes it ('12h'). */
  issue(caller: { readonly sub: string; readonly role: Role }, expiresIn: string): Promise<string>;
}

export interface IssuerNames {
  readonly issuer: string;
  readonly audience: string;
}

const algorithm = 'ES256';

/**
 * Makes the keys on the first call and reads them on later ones, so that tokens and quotes outlive a restart.
 * Files: jwks.json, signing-key.json, service-token, quote-secret, ride-code-secret; readable by their owner only
 * but for jwks.json, unless `shared` (a volume that containers of another user read).
 */
export async function ensureKeys(
  dir: string,
  { issuer, audience }: IssuerNames,
  options: { readonly shared?: boolean } = {},
): Promise<Keys> {
  mkdirSync(dir, { recursive: true });
  const mode = options.shared ? 0o644 : 0o600;
  const file = async (
    name: string,
    make: () => Promise<string> | string,
    withMode = mode,
  ): Promise<string> => {
    const path = join(dir, name);
    if (!existsSync(path)) {
      // Renamed into place: whoever reads sees a whole file or none.
      writeFileSync(`${path}.new`, await make(), { mode: withMode });
      chmodSync(`${path}.new`, withMode);
      renameSync(`${path}.new`, path);
    }
    return readFileSync(path, 'utf8').trim();
  };
  const randomSecret = (): string => randomBytes(32).toString('base64url');

  const signingKey = JSON.parse(await file('signing-key.json', makeSigningKey, 0o600)) as JWK;
  const { d: _private, ...publicKey } = signingKey;
  await file('jwks.json', () => JSON.stringify({ keys: [publicKey] }), 0o644);

  const key = await importJWK(signingKey, algorithm);
  const issue: Keys['issue'] = ({ sub, role }, expiresIn) =>
    new SignJWT({ role })
      .setProtectedHeader({ alg: algorithm, kid: signingKey.kid ?? '' })
      .setSubject(sub)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(key);
  return {
    jwksPath: join(dir, 'jwks.json'),
    serviceToken: await file('service-token', () => issue({ sub: 'hailway', role: 'service' }, '3650d')),
    quoteSecret: await file('quote-secret', randomSecret),
    rideCodeSecret: await file('ride-code-secret', randomSecret),
    issue,
  };
}

async function makeSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = randomBytes(8).toString('hex');
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid, alg: algorithm, use: 'sig' });
}
