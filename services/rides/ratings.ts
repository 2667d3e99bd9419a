import type { Pool } from 'pg';
import { v5 as uuidv5 } from 'uuid';
import { writtenFact } from '../../contracts/writtenFact';
import { DomainError } from '../../domain/errors';
import { stepId } from '../../domain/names';
import type { Rating, RatingFactData, RatingSide } from '../../domain/rating';
import { recordFact } from '../../platform/outbox';
import { withTransaction, type Queryable, type Tx } from '../../platform/postgres';

/** Made once for this project; a rating's id is a UUID (version 5) below it. */
const ID_NAMESPACE = '0c3c6b52-7a1e-5b57-9d0a-5f2f5d5c8e11';

/** A ride has two ratings at most, one a side. */
const ratingIdOf = (rideId: string, by: RatingSide): string => uuidv5(`${rideId}|${by}`, ID_NAMESPACE);

/**
 * Records a rating with its fact and the rated person's sums; the same again changes nothing.
 * @returns the rating as it was first given
 * @throws DomainError `rating_already_given` for another one
 */
export async function giveRating(pool: Pool, rating: Rating, topicPrefix: string): Promise<Rating> {
  return withTransaction(pool, async (tx) => {
    const { rideId, by, raterId, ratedId, stars, comment, givenAt } = rating;
    const ratingId = ratingIdOf(rideId, by);
    const { rowCount } = await tx.query(
      `insert into ratings (rating_id, ride_id, given_by, rater_id, rated_id, stars, comment, given_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (rating_id) do nothing`,
      [ratingId, rideId, by, raterId, ratedId, stars, comment, givenAt],
    );
    if (rowCount === 0) return sameAs(await readRating(tx, ratingId), rating);
    await tx.query(
      `insert into rating_totals (role, person_id, stars, ratings) values ($1, $2, $3, 1)
       on conflict (role, person_id) do update
       set stars = rating_totals.stars + excluded.stars, ratings = rating_totals.ratings + 1`,
      [by === 'rider' ? 'driver' : 'rider', ratedId, stars],
    );
    await recordGiven(tx, { ratingId, rideId, by, raterId, ratedId, stars }, givenAt, topicPrefix);
    return rating;
  });
}

async function readRating(tx: Tx, ratingId: string): Promise<Rating> {
  const { rows } = await tx.query<Rating>(
    `select ride_id as "rideId", given_by as by, rater_id as "raterId", rated_id as "ratedId", stars, comment,
       given_at as "givenAt" from ratings where rating_id = $1`,
    [ratingId],
  );
  return rows[0]!;
}

function sameAs(given: Rating, { stars, comment }: Rating): Rating {
  if (given.stars === stars && given.comment === comment) return given;
  throw new DomainError('rating_already_given', 'A ride is rated once, and this is another rating.');
}

async function recordGiven(tx: Tx, data: RatingFactData, at: string, topicPrefix: string): Promise<void> {
  const { ratingId, rideId } = data;
  await recordFact(tx, {
    stepId: stepId(ratingId, 'give'),
    aggregateId: ratingId,
    version: 1,
    source: '/hailway/rides',
    correlationId: rideId,
    ...writtenFact({ type: 'rating.given', at, data }, topicPrefix),
  });
}

/** What somebody's ratings come to; `average` has two decimals and is null while there are none. */
export async function ratingOf(
  db: Queryable,
  role: RatingSide,
  personId: string,
): Promise<{ average: number | null; count: number }> {
  const { rows } = await db.query<{ stars: number; ratings: number }>({
    name: 'rating-of',
    text: 'select stars, ratings from rating_totals where role = $1 and person_id = $2',
    values: [role, personId],
  });
  const { stars = 0, ratings = 0 } = rows[0] ?? {};
  return { average: ratings === 0 ? null : Math.round((100 * stars) / ratings) / 100, count: ratings };
}
