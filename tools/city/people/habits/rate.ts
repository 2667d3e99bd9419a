import type { App } from '../../client/app';
import { noteRefusal, type CityRecord, type GivenRating } from '../record';

/** One side of a completed ride says what it thinks of the other. */
export async function rate(app: App, { rideId, by, stars }: GivenRating, record: CityRecord): Promise<void> {
  await app
    .post(`/v1/rides/${rideId}/rating`, stars <= 2 ? { stars, comment: 'Not again.' } : { stars })
    .then(() => void record.memories.ratings.push({ rideId, by, stars }), noteRefusal(record));
}
