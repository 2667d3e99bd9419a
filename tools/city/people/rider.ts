import { randomUUID } from 'node:crypto';
import type { QuoteView } from '../../../contracts/api/quotes';
import type { RideAccepted, RideView, TipView } from '../../../contracts/api/rides';
import { terminalRideStatuses } from '../../../domain/ride';
import { createApp, Refused, type App, type AppKit } from '../client/app';
import type { Answer, Call } from '../client/http';
import { streamEvents } from '../client/sse';
import type { CityClock } from '../clock';
import type { RidePlan } from '../input/plan';
import { seededRandom, type Random } from '../random';
import { noteRefusal, type CityRecord } from './record';
import type { Street } from './street';

export interface RiderKit {
  readonly app: AppKit;
  readonly clock: CityClock;
  readonly street: Street;
  readonly record: CityRecord;
  readonly seed: string;
}

/** Between what happens and what a rider does about it, in the city's milliseconds. */
const decidesAfterMs = {
  cancelMatching: [1_000, 15_000],
  cancelAssigned: [20_000, 240_000],
  tip: [10_000, 120_000],
  repeat: [5_000, 60_000],
} as const;

/** A rider's evening: quote, request, follow the ride to its end, tip. Resolves when nothing is left to do. */
export async function liveRide(plan: RidePlan, kit: RiderKit): Promise<void> {
  const app = createApp(kit.app, 'rider', plan.riderId);
  const random = seededRandom(kit.seed, 'rider', plan.number);
  await kit.clock.waitUntil(plan.requestAt);
  kit.street.expect(plan);
  const { ride, repeating } = await requestRide(app, plan, random, kit);
  const ended = await followRide(app, plan, ride.rideId, random, kit);
  kit.street.forget(plan);
  await repeating;
  if (ended.status === 'completed' && plan.tipMinor > 0) await giveTip(app, plan, ride.rideId, random, kit);
}

/** The accepted ride, and the repeat of its request that may still be going on. */
async function requestRide(
  app: App,
  plan: RidePlan,
  random: Random,
  kit: RiderKit,
): Promise<{ ride: RideAccepted; repeating: Promise<void> }> {
  for (;;) {
    const { pickup, dropoff, product, paymentMethod } = plan;
    const quote = await app.post<QuoteView>('/v1/quotes', { pickup, dropoff, product });
    const key = randomUUID();
    const call: Call = {
      method: 'POST',
      path: '/v1/rides',
      headers: { 'idempotency-key': key },
      body: { quoteToken: quote.token, paymentMethod },
    };
    try {
      const [first, twin] = await Promise.all([
        app.ask(call),
        plan.repeat === 'atOnce' ? app.ask(call) : null,
      ]);
      const ride = first.body as RideAccepted;
      kit.record.accepted.push({ rideId: ride.rideId, riderId: plan.riderId, key, quoteId: quote.quoteId });
      kit.record.saw(ride.rideId, 'requested');
      if (twin) kit.record.repeated.push({ key, first, again: twin });
      return { ride, repeating: repeatLater(app, call, first, plan, random, kit) };
    } catch (error) {
      // The API was away for longer than the quote holds: a new quote is a new request.
      if (!(error instanceof Refused) || error.code !== 'quote_expired') throw error;
    }
  }
}

async function repeatLater(
  app: App,
  call: Call,
  first: Answer,
  plan: RidePlan,
  random: Random,
  kit: RiderKit,
): Promise<void> {
  if (plan.repeat !== 'later') return;
  await kit.clock.wait(random.between(...decidesAfterMs.repeat));
  const again = await app.ask(call).catch((error: unknown): Answer => {
    if (!(error instanceof Refused)) throw error;
    return { status: error.status, body: error.details, retryAfterMs: null };
  });
  kit.record.repeated.push({ key: call.headers?.['idempotency-key'] ?? '', first, again });
}

/** Follows the ride's events to its end, and changes the rider's mind where the plan says so. */
async function followRide(
  app: App,
  plan: RidePlan,
  rideId: string,
  random: Random,
  kit: RiderKit,
): Promise<RideView> {
  let changedMind = false;
  const cancelOnce = async (afterMs: number): Promise<void> => {
    if (changedMind) return;
    changedMind = true;
    await kit.clock.wait(afterMs);
    await app.post(`/v1/rides/${rideId}/cancel`, { reason: 'changed_mind' }).catch(noteRefusal(kit.record));
  };
  for await (const { data } of streamEvents(kit.app.wire, app, `/v1/rides/${rideId}/events`)) {
    const { type, ride } = data as { type: string; ride: RideView };
    kit.record.saw(rideId, ride.status);
    if (terminalRideStatuses.includes(ride.status)) return ride;
    if (plan.persona === 'riderCancelsMatching' && type === 'ride.matching_started') {
      await cancelOnce(random.between(...decidesAfterMs.cancelMatching));
    }
    if (plan.persona === 'riderCancelsAssigned' && type === 'ride.driver_assigned') {
      await cancelOnce(random.between(...decidesAfterMs.cancelAssigned));
    }
  }
  throw new Error('impossible: the stream of a ride goes on until it has ended');
}

const TIP_ATTEMPTS = 10;
const TIP_PAUSE_MS = 500;

/** A tip is a charge of its own after the fare's: while that is not through, it is asked again. */
async function giveTip(
  app: App,
  plan: RidePlan,
  rideId: string,
  random: Random,
  kit: RiderKit,
): Promise<void> {
  await kit.clock.wait(random.between(...decidesAfterMs.tip));
  for (let attempt = 1; ; attempt++) {
    try {
      const body = { amountMinor: Math.min(plan.tipMinor, 100_000) };
      const { tipMinor } = await app.post<TipView>(`/v1/rides/${rideId}/tip`, body);
      kit.record.tips.push({ rideId, tipMinor });
      return;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code !== 'tip_not_possible' || attempt === TIP_ATTEMPTS) return kit.record.surprised(error);
      await kit.clock.waitReal(TIP_PAUSE_MS);
    }
  }
}
