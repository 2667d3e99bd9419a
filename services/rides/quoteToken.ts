import { quoteClaims, type QuoteClaims } from '../../contracts/api/quotes';
import { DomainError } from '../../domain/errors';
import { readToken } from '../../platform/signedToken';

/**
 * The quote that pricing signed for this rider. Whether it is too late is for the caller to say, as a request that
 * was made in time is repeated later.
 * @throws DomainError `quote_invalid` for a token that was changed, made elsewhere, or given to another rider
 */
export async function readQuote(secret: string, token: string, riderId: string): Promise<QuoteClaims> {
  const ours = await readToken(secret, 'quote+jwt', token);
  if (ours === null) throw new DomainError('quote_invalid', 'This is not a quote of ours.');
  const claims = quoteClaims.parse(ours);
  if (claims.riderId !== riderId) throw new DomainError('quote_invalid', 'This is not a quote of yours.');
  return claims;
}
