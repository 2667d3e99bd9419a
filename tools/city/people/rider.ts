import { randomUUID } from 'node:crypto';
import type { RideAccepted, RideView } from '../../../contracts/api/rides';
import { terminalRideStatuses, type RideFactType } from '../../../domain/ride';
import { createApp, Refused } from '../client/app';
import type { Answer, Call } from '../client/http';
import { streamEvents } from '../client/sse';
import type { RidePlan } from '../input/plan';
import { seededRandom } from '../random';
import { cancelAsPreviewed } from './habits/cancel';
import { proposeToGoFurther } from './habits/changeRoute';
import { getOutEarly } from './habits/endEarly';
import { changePlan, pickupTime } from './habits/planAhead';
import { rate } from './habits/rate';
import { shareWithFriend } from './habits/share';
import { giveTip } from './habits/tip';
import { registerWebhook } from './habits/webhook';
import { askForQuote, type Errand, type RiderKit, type Trip } from './trip';

/** Between what happens and what a rider does about it, in the city's milliseconds. */
const decidesAfterMs = {
  cancelMatching: [1_000, 15_000],
  /** When it is free no more, and the driver has come nearer. */
  cancelAssigned: [180_000, 270_000],
  cancelPlan: [20_000, 90_000],
  afterRide: [10_000, 120_000],
  repeat: [5_000, 60_000],
} as const;

/** A rider's evening: quote, request, follow the ride to its end, tip and rate. Resolves when nothing is left to do. */
export async function liveRide(plan: RidePlan, kit: RiderKit): Promise<void> {
  const app = createApp(kit.app, 'rider', plan.riderId);
  const errand = { app, plan, kit, random: seededRandom(kit.seed, 'rider', plan.number) };
  await kit.clock.waitUntil(plan.requestAt);
  const { mailbox, record } = kit;
  if (plan.webhook) {
    await registerWebhook(
      app,
      { role: 'rider', ownerId: plan.riderId },
      { mailbox, record, startsLate: true },
    );
  }
  const { ride, repeating } = await requestRide(errand);
  const trip = { ...errand, rideId: ride.rideId };
  const ended = await followRide(trip);
  await repeating;
  if (ended.status === 'completed') await thank(trip);
  kit.street.forget(plan);
}

/** The accepted ride, and the repeat of its request that may still be going on. */
async function requestRide(errand: Errand): Promise<{ ride: RideAccepted; repeating: Promise<void> }> {
  const { app, plan, kit } = errand;
  const { memories } = kit.record;
  for (;;) {
    const { pickup, stops, dropoff, product, paymentMethod } = plan;
    const scheduledFor = plan.aheadMs === 0 ? null : pickupTime(plan.aheadMs, kit.clock);
    const quote = await askForQuote(errand, { pickup, stops, dropoff, product, scheduledFor });
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
      memories.accepted.push({ rideId: ride.rideId, riderId: plan.riderId, key, quoteId: quote.quoteId });
      kit.record.saw(ride.rideId, ride.status);
      if (twin) memories.repeated.push({ key, first, again: twin });
      const repeating = repeatLater(errand, call, first);
      // Whatever it throws is thrown where it is waited for; a city that ends meanwhile does not get there.
      repeating.catch(() => undefined);
      return { ride, repeating };
    } catch (error) {
      // The API was away for longer than the quote, or the schedule, holds: a new quote is a new request.
      const tooLate =
        error instanceof Refused && ['quote_expired', 'scheduled_too_soon'].includes(error.code);
      if (!tooLate) throw error;
    }
  }
}

async function repeatLater({ app, plan, random, kit }: Errand, call: Call, first: Answer): Promise<void> {
  if (plan.repeat !== 'later') return;
  await kit.clock.wait(random.between(...decidesAfterMs.repeat));
  const again = await app.ask(call).catch((error: unknown): Answer => {
    if (!(error instanceof Refused)) throw error;
    return { status: error.status, body: error.details, retryAfterMs: null };
  });
  kit.record.memories.repeated.push({ key: call.headers?.['idempotency-key'] ?? '', first, again });
}

/** What a rider does when something happens to the ride for the first time. */
interface Habit {
  readonly when: RideFactType;
  readonly act: (ride: RideView) => Promise<void>;
}

function habitsOf(trip: Trip): Habit[] {
  const { plan, random, kit } = trip;
  const cancelAfter = (range: readonly [number, number]) => async (): Promise<void> => {
    await kit.clock.wait(random.between(...range));
    await cancelAsPreviewed(trip);
  };
  const further: Habit = { when: 'ride.started', act: (ride) => proposeToGoFurther(trip, ride) };
  const byPersona: Partial<Record<RidePlan['persona'], Habit>> = {
    riderCancelsMatching: {
      when: 'ride.matching_started',
      act: cancelAfter(decidesAfterMs.cancelMatching),
    },
    riderCancelsAssigned: { when: 'ride.driver_assigned', act: cancelAfter(decidesAfterMs.cancelAssigned) },
    cancelsPlan: { when: 'ride.scheduled', act: cancelAfter(decidesAfterMs.cancelPlan) },
    plansAhead: { when: 'ride.scheduled', act: (ride) => changePlan(trip, ride) },
    goesFurther: further,
    goesNoFurther: further,
    cannotPayFurther: further,
    endsEarly: { when: 'ride.started', act: () => getOutEarly(trip) },
  };
  const habit = byPersona[plan.persona];
  const shares: Habit = { when: 'ride.driver_assigned', act: () => shareWithFriend(trip) };
  return [...(habit ? [habit] : []), ...(plan.share === 'never' ? [] : [shares])];
}

/** Follows the ride's events to its end, and does what the rider is in the habit of doing meanwhile. */
async function followRide(trip: Trip): Promise<RideView> {
  const { app, rideId, kit } = trip;
  const waiting = new Set(habitsOf(trip));
  const doing: Promise<void>[] = [];
  for await (const { data } of streamEvents(kit.app.wire, app, `/v1/rides/${rideId}/events`)) {
    const { type, ride } = data as { type: string; ride: RideView };
    kit.record.saw(rideId, ride.status);
    if (terminalRideStatuses.includes(ride.status)) {
      await Promise.all(doing);
      return ride;
    }
    for (const habit of waiting) {
      if (habit.when !== type) continue;
      waiting.delete(habit);
      const act = habit.act(ride);
      // Whatever it throws is thrown where all are waited for.
      act.catch(() => undefined);
      doing.push(act);
    }
  }
  throw new Error('impossible: the stream of a ride goes on until it has ended');
}

/** What is left to do after a ride: the tip, and the stars. */
async function thank(trip: Trip): Promise<void> {
  const { app, plan, rideId, random, kit } = trip;
  await kit.clock.wait(random.between(...decidesAfterMs.afterRide));
  if (plan.tipMinor > 0) await giveTip(trip);
  if (plan.stars.rider !== null)
    await rate(app, { rideId, by: 'rider', stars: plan.stars.rider }, kit.record);
}
