import { z } from 'zod';
import { readToken, signToken } from '../../platform/signedToken';

/** What a preview has promised: this fee for this ride, until the token expires. */
const promise = z.object({ rideId: z.string(), feeMinor: z.number().int().min(0), exp: z.number() });

/** How long a previewed fee is good for. */
const GOOD_FOR_MS = 60_000;

const tokenType = 'cancellation+jwt';

/** Signs what a cancel would cost at `nowMs`, so that a cancel soon after costs no more. */
export async function signPreview(
  secret: string,
  { rideId, feeMinor }: { readonly rideId: string; readonly feeMinor: number },
  nowMs: number,
): Promise<{ token: string; expiresAt: string }> {
  const expiresAt = new Date(Math.ceil((nowMs + GOOD_FOR_MS) / 1_000) * 1_000);
  const token = await signToken(secret, tokenType, { rideId, feeMinor }, expiresAt);
  return { token, expiresAt: expiresAt.toISOString() };
}

/**
 * The fee that a preview of this ride has promised, in minor units; null for a token that promises nothing (any more).
 */
export async function promisedFeeMinor(
  secret: string,
  token: string | undefined,
  rideId: string,
  nowMs: number,
): Promise<number | null> {
  if (token === undefined) return null;
  const claims = promise.safeParse(await readToken(secret, tokenType, token));
  if (!claims.success || claims.data.rideId !== rideId || claims.data.exp * 1_000 <= nowMs) return null;
  return claims.data.feeMinor;
}
