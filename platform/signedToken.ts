import { compactVerify, SignJWT } from 'jose';

const keyOf = (secret: string): Uint8Array => new TextEncoder().encode(secret);

/**
 * Signs claims (JWS, HS256) that are good until `expiresAt`, which becomes `exp` in whole seconds. `type` (`quote+jwt`)
 * keeps a token of one kind from passing for another.
 */
export const signToken = (secret: string, type: string, claims: object, expiresAt: Date): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: type })
    .setExpirationTime(expiresAt)
    .sign(keyOf(secret));

/** What a token of ours of this type says, expired or not; null for any other. */
export async function readToken(secret: string, type: string, token: string): Promise<unknown> {
  const verified = await compactVerify(token, keyOf(secret), { algorithms: ['HS256'] }).catch(() => null);
  if (verified?.protectedHeader.typ !== type) return null;
  return JSON.parse(new TextDecoder().decode(verified.payload)) as unknown;
}
