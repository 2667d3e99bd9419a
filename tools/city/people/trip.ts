import type { QuoteView } from '../../../contracts/api/quotes';
import type { Product } from '../../../domain/fare';
import type { Point } from '../../../domain/geo';
import type { App, AppKit } from '../client/app';
import type { Mailbox } from '../client/mailbox';
import type { CityClock } from '../clock';
import type { RidePlan } from '../input/plan';
import type { Random } from '../random';
import type { CityRecord } from './record';
import type { Street } from './street';

export interface RiderKit {
  readonly app: AppKit;
  readonly clock: CityClock;
  readonly street: Street;
  readonly mailbox: Mailbox;
  readonly record: CityRecord;
  readonly seed: string;
}

/** What a rider has at hand on a ride, from the first quote on. */
export interface Errand {
  readonly app: App;
  readonly plan: RidePlan;
  readonly random: Random;
  readonly kit: RiderKit;
}

/** The same when the ride has been accepted. */
export interface Trip extends Errand {
  readonly rideId: string;
}

interface Asked {
  readonly pickup: Point;
  readonly stops: readonly Point[];
  readonly fixedStops?: number;
  readonly dropoff: Point;
  readonly product: Product;
  readonly scheduledFor?: string | null;
  readonly changesRideId?: string;
}

/**
 * Asks what it costs, remembers the answer, and lets drivers know where it goes: a courier's way ends where it is best.
 */
export async function askForQuote({ app, plan, kit }: Errand, asked: Asked): Promise<QuoteView> {
  const quote = await app.post<QuoteView>('/v1/quotes', asked);
  kit.record.memories.quotes.push({ quoteId: quote.quoteId, totalMinor: quote.fare.totalMinor });
  kit.street.expect(plan, quote.dropoff);
  return quote;
}
