import type { DriverView, OfferView } from '../../../contracts/api/drivers';
import type { Product } from '../../../domain/fare';
import type { Point } from '../../../domain/geo';
import { createApp, Refused, type AppKit } from '../client/app';
import type { CityClock } from '../clock';
import { seededRandom, type Random } from '../random';
import { driveRide, type Wheel } from './drive';
import { takeBreak } from './habits/takeBreak';
import { createMotion } from './motion';
import { createOfferBox } from './offers';
import { sendPositions } from './positions';
import { noteRefusal, type CityRecord } from './record';
import type { Street } from './street';

export interface DriverKit {
  readonly app: AppKit;
  readonly clock: CityClock;
  readonly street: Street;
  readonly record: CityRecord;
  readonly seed: string;
}

/** Of offers that a driver has no reason to refuse, so many are declined, slept through, or followed by a break. */
const whims = { declines: 0.06, ignores: 0.04, takesBreak: 0.02 } as const;
/** To where nobody wants to go: some decline, some rather go home for a while, the rest do not answer. */
const unwanted = { declines: 0.3, takesBreak: 0.1 } as const;
const THINKS_MS = [500, 3_000] as const;

/** `driver-007`: the same drivers in every run, who find the rides that they were on. */
export const driverId = (number: number): string => `driver-${String(number).padStart(3, '0')}`;

/** A driver without offers looks this often whether there is a ride after all; in our own time. */
const LOOKS_AFTER_MS = 20_000;

const PREFIXES = ['T', 'C', 'N', 'Y'];

/**
 * A driver's shift: register, go online, finish the ride of before if there is one, then offers, one after
 * another, until the app's signal, whose reason it throws. `ready` is called once the driver is online.
 */
export async function driveShift(
  number: number,
  start: Point,
  kit: DriverKit,
  ready: () => void,
): Promise<never> {
  const app = createApp(kit.app, 'driver', driverId(number));
  const random = seededRandom(kit.seed, 'driver', number);
  const product: Product = number % 4 === 0 ? 'xl' : 'standard';
  const plate = `${random.pick(PREFIXES)}${String(number).padStart(6, '0')}C`;
  const motion = createMotion(start, kit.clock);
  await app.ask({
    method: 'PUT',
    path: '/v1/drivers/me',
    body: { name: `Driver ${number}`, plate, product },
  });
  const me = await app.post<DriverView>('/v1/drivers/me/online', { position: motion.at(kit.clock.now()) });
  ready();
  const offers = createOfferBox(kit.app.wire, app);
  const next: NextRide = { rideId: me.nextRideId };
  const answerOf = async (offer: OfferView): Promise<Answer | 'break' | null> => {
    await kit.clock.wait(random.between(...THINKS_MS));
    return considered(offer, kit.street, random);
  };
  const wheel: Wheel = {
    ...kit,
    app,
    driverId: driverId(number),
    motion,
    underWay: async (leftMs) => {
      const until = kit.clock.now() + leftMs;
      for (let left = leftMs; left > 0; left = until - kit.clock.now()) {
        if (next.rideId !== null) await kit.clock.wait(left);
        else await answerUnderWay(await offers.next(left / kit.clock.speed), answerOf, next, wheel);
      }
    },
  };
  const sending = sendPositions(app, motion, kit.clock, kit.record);
  const shift = async (): Promise<never> => {
    if (me.rideId !== null) await driveRide(me.rideId, wheel);
    for (;;) {
      for (let { rideId } = next; rideId !== null; rideId = next.rideId) {
        next.rideId = null;
        await driveRide(rideId, wheel);
      }
      const offer = await offers.next(LOOKS_AFTER_MS);
      if (offer === null) {
        await driveMine(wheel);
        continue;
      }
      const answer = await answerOf(offer);
      if (answer === 'break') await takeBreak(app, random, kit);
      else if (answer !== null) await answerOffer(offer, answer, wheel);
    }
  };
  return Promise.race([shift(), offers.reading, sending]);
}

type Answer = 'accept' | 'decline';

/** The ride that the driver has taken for when the present one is over. */
interface NextRide {
  rideId: string | null;
}

function considered(offer: OfferView, street: Street, random: Random): Answer | 'break' | null {
  const persona = street.planOf(offer)?.persona;
  if (persona === 'unwanted' || persona === 'riderCancelsMatching') {
    if (random.chance(unwanted.takesBreak)) return 'break';
    return random.chance(unwanted.declines) ? 'decline' : null;
  }
  if (random.chance(whims.takesBreak)) return 'break';
  if (random.chance(whims.ignores)) return null;
  return random.chance(whims.declines) ? 'decline' : 'accept';
}

/** Answers, and drives the ride that comes of it; an answer that came too late is part of the trade. */
async function answerOffer(offer: OfferView, answer: Answer, wheel: Wheel): Promise<void> {
  try {
    await wheel.app.post(`/v1/offers/${offer.offerId}/${answer}`);
    if (answer === 'accept') await driveRide(offer.rideId, wheel);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code !== 'offer_over') wheel.record.surprised(error);
    // The accept may have been taken and its answer lost.
    await driveMine(wheel);
  }
}

/** Answers an offer on the way with a rider; what is taken waits for the drop-off. */
async function answerUnderWay(
  offer: OfferView | null,
  answerOf: (offer: OfferView) => Promise<Answer | 'break' | null>,
  next: NextRide,
  { app, record }: Wheel,
): Promise<void> {
  const answer = offer && (await answerOf(offer));
  // Nobody takes a break with a rider in the car.
  if (!answer || answer === 'break') return;
  try {
    await app.post(`/v1/offers/${offer.offerId}/${answer}`);
    if (answer === 'accept') next.rideId = offer.rideId;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code !== 'offer_over') record.surprised(error);
    // The accept may have been taken and its answer lost: the driver's own page tells after the drop-off.
  }
}

/** Drives the ride that the driver is on by the API's word: whatever happened on the way to it. */
async function driveMine(wheel: Wheel): Promise<void> {
  const me = await wheel.app.get<DriverView>('/v1/drivers/me').catch(noteRefusal(wheel.record));
  if (me?.rideId) await driveRide(me.rideId, wheel);
}
