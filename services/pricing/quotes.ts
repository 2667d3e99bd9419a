import { latLngToCell } from 'h3-js';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { sealedFact } from '../../contracts/personal';
import { writtenFact } from '../../contracts/writtenFact';
import type { PricingRequest, QuoteClaims, QuoteRequest, QuoteView } from '../../contracts/api/quotes';
import { orderDrops } from '../../domain/courier';
import { DomainError } from '../../domain/errors';
import { upfrontFare } from '../../domain/fare';
import { CELL_RESOLUTION, type Point } from '../../domain/geo';
import { stepId } from '../../domain/names';
import { withPublicCharges } from '../../domain/publicCharges';
import { factId, recordFact } from '../../platform/outbox';
import type { Vault } from '../../platform/personal';
import { withTransaction } from '../../platform/postgres';
import { signToken } from '../../platform/signedToken';
import { estimateTrip } from './estimate';
import { surgeIn } from './surge';

export interface QuotesOptions {
  readonly pool: Pool;
  /** Seals what is personal in facts. */
  readonly vault: Vault;
  /** Shared with whoever takes quotes; the token is a JWS with it (HS256). */
  readonly secret: string;
  /** How long a quote is good for, in milliseconds. */
  readonly quoteTtlMs: number;
  readonly topicPrefix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Prices a trip for a rider, records the quote with its fact, and signs it. */
export type IssueQuote = (riderId: string, request: PricingRequest) => Promise<QuoteView>;

/** @throws DomainError `trip_too_long`, `too_many_drops`, `courier_cycle`, `subject_erased` */
export function createIssueQuote(options: QuotesOptions): IssueQuote {
  const { secret, quoteTtlMs, now } = options;
  return async (riderId, { pickup, product, scheduledFor, changesRideId, bookedSurge, ...asked }) => {
    const at = now();
    const pickupCell = latLngToCell(pickup.lat, pickup.lng, CELL_RESOLUTION);
    const surge = bookedSurge ?? (await surgeOfNewRide(pickupCell, scheduledFor, at));
    const { stops, dropoff } = product === 'courier' ? inBestOrder(pickup, asked) : asked;
    const points = [pickup, ...stops, dropoff];
    const trip = estimateTrip(points, scheduledFor === null ? at : Date.parse(scheduledFor));
    const fare = upfrontFare({ product, ...trip, stops: stops.length, surge });
    const claims: QuoteClaims = {
      quoteId: uuidv7(),
      riderId,
      product,
      pickup,
      stops,
      dropoff,
      ...trip,
      surge,
      ...(changesRideId && { changesRideId }),
      fare: withPublicCharges(fare, product, points) as QuoteClaims['fare'],
      scheduledFor,
      // A token's expiry is in whole seconds: what the quote says and what the token says are the same moment.
      expiresAt: new Date(Math.ceil((at + quoteTtlMs) / 1_000) * 1_000).toISOString(),
    };
    await record(claims, pickupCell, new Date(at).toISOString(), options);
    const token = await signToken(secret, 'quote+jwt', claims, new Date(claims.expiresAt));
    const { riderId: _, ...quote } = claims;
    return { ...quote, token };
  };

  /** What is so now says nothing of a ride for later. */
  async function surgeOfNewRide(cell: string, scheduledFor: string | null, at: number): Promise<number> {
    return scheduledFor === null ? surgeIn(options.pool, cell, at) : 1;
  }
}

/** A courier's drops, after the fixed ones, in the order of the shortest way; the last of them is the dropoff. */
function inBestOrder(
  pickup: Point,
  { stops, dropoff, fixedStops }: Pick<QuoteRequest, 'stops' | 'dropoff' | 'fixedStops'>,
): { stops: Point[]; dropoff: Point } {
  const drops = orderDrops(pickup, [...stops, dropoff], fixedStops);
  return { stops: drops.slice(0, -1), dropoff: drops.at(-1)! };
}

/** A quote's one fact: it is issued. */
async function record(
  quote: QuoteClaims,
  pickupCell: string,
  at: string,
  { pool, vault, topicPrefix }: QuotesOptions,
): Promise<void> {
  const { quoteId, riderId } = quote;
  const written = writtenFact({ type: 'quote.issued', at, data: { ...quote, pickupCell } }, topicPrefix);
  const { type, data } = written.fact;
  const { sent } = await vault.withKeys(() =>
    sealedFact(vault.seal, { id: factId(type, quoteId, 1), type, data }),
  );
  // The key is at hand now, or known to be gone.
  if (await vault.isErased(riderId)) throw new DomainError('subject_erased', 'This account was erased.');
  await withTransaction(pool, async (tx) => {
    await tx.query('insert into quotes (quote_id, rider_id, quote, expires_at) values ($1, $2, $3, $4)', [
      quoteId,
      riderId,
      JSON.stringify(quote),
      quote.expiresAt,
    ]);
    await recordFact(tx, {
      stepId: stepId(quoteId, 'issue'),
      aggregateId: quoteId,
      version: 1,
      source: '/hailway/pricing',
      ...written,
      sent,
    });
  });
}
