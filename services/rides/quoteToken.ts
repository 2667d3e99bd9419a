import { quoteClaims, type QuoteClaims } from '../../contracts/api/quotes';
import { DomainError } from '../../domain/errors';
import { readToken } from '../../platform/signedToken';

/**
 * The quote that pricing signed for this rider, for the change of this ride or (`changes` is not given) for a ride. Whether
 * it is too late is for the caller to say, as a request that was made in time is repeated later.
 * @throws DomainError `quote_invalid` for a token that was changed, made elsewhere, or given to another rider or for
 *   something else: a change has the surge of its ride, a ride that of its time
 */
export async function readQuote(
  secret: string,
  token: string,
  { riderId, changes }: { riderId: string; changes?: string },
): Promise<QuoteClaims> {
  const ours = await readToken(secret, 'quote+jwt', token);
  if (ours === null) throw new DomainError('quote_invalid', 'This is not a quote of ours.');
  const claims = quoteClaims.parse(ours);
  if (claims.riderId !== riderId) throw new DomainError('quote_invalid', 'This is not a quote of yours.');
  if (claims.changesRideId !== changes) {
    throw new DomainError(
      'quote_invalid',
      changes === undefined
        ? 'This quote is for a change of a ride that is under way.'
        : 'A change has the surge of its ride: ask for a quote with `changesRideId`.',
    );
  }
  return claims;
}
