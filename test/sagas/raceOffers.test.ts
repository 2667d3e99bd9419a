import { v7 as uuidv7 } from 'uuid';
import { acceptOffer } from '../../services/rides/offers';
import { committedMeanwhile, outcomeOf, sendToBusy, type Move, type Outcome } from '../support/races';
import { expectSound, factsOf, offered, settle, type Story } from '../support/rideGround';
import { eventually, startRideSaga, type RideSaga } from '../support/rideSaga';

/**
 * A driver's yes, and what comes at the same time, in both orders. It is decided in Postgres; the ride's workflow hears
 * of it afterwards, or finds out.
 */
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
afterEach(() => (saga.instead = {}));

interface Offered extends Story {
  readonly offerId: string;
  readonly expiresAtMs: number;
}

const row = async (offerId: string): Promise<{ state: string; expiresAt: string }> => {
  const query = 'select state, expires_at as "expiresAt" from offers where offer_id = $1';
  return (await saga.pool.query<{ state: string; expiresAt: string }>(query, [offerId])).rows[0]!;
};
const stateOf = async ({ offerId }: Offered): Promise<string> => (await row(offerId)).state;

async function offerOf({ rideId, driverId }: Story): Promise<Offered> {
  const { offerId } = await saga.offerTo(driverId);
  return { rideId, driverId, offerId, expiresAtMs: Date.parse((await row(offerId)).expiresAt) };
}

/** The driver's yes, at a time of the gateway's clock; nobody has told the ride yet. */
async function yes({ offerId, driverId }: Offered, atMs?: number): Promise<Outcome> {
  const now = new Date(atMs ?? (await saga.env.currentTimeMs())).toISOString();
  return acceptOffer(saga.pool, { offerId, driverId, now }).then(
    () => 'done',
    (error: { code?: string }) => error.code ?? 'no code',
  );
}

/** The Update by which the gateway tells the ride of a yes. */
const telling = ({ offerId }: Offered) =>
  ({ update: 'offerAccepted', command: 'assignDriver', argument: { offerId } }) as const satisfies Move;
const tell = ({ rideId, driverId, offerId }: Offered) =>
  outcomeOf(saga.update(rideId, 'offerAccepted', { driverId, offerId }));

const newFacts = async (rideId: string) => (await factsOf(saga, rideId)).slice(2).map(({ type }) => type);
const released = ['authorize 1850', 'void'];

describe('a yes and the end of the offer’s time', () => {
  test('before it: the ride is the driver’s, though it is told of it only when the time is over', async () => {
    const offer = await offerOf(await offered(saga));
    // The test's clock runs on between its steps.
    await saga.sleepUntil(offer.expiresAtMs - 3_000);
    expect(await yes(offer)).toBe('done');
    await saga.sleepUntil(offer.expiresAtMs + 100);
    await saga.until(offer.rideId, ({ status }) => status === 'assigned');
    expect(await tell(offer)).toBe('done');
    expect(await expectSound(saga, offer.rideId)).toMatchObject({ driverId: offer.driverId, version: 3 });
    expect(await settle(saga, offer.rideId)).toEqual(released);
  });

  test('after it: refused while the offer is not even closed, and the driver, who is free, is asked again', async () => {
    const offer = await offerOf(await offered(saga));
    let late: Outcome | undefined;
    saga.instead.closeOffers = async (round) => {
      saga.instead = {};
      expect(await stateOf(offer)).toBe('offered');
      late = await yes(offer);
      return saga.activities.dispatch.closeOffers(round);
    };
    await saga.sleepUntil(offer.expiresAtMs + 100);
    await eventually(async () => (await stateOf(offer)) === 'expired' || undefined);
    expect(late).toBe('offer_over');
    expect(await tell(offer)).toBe('offer_over');
    const again = await offerOf(offer);
    expect(again.offerId).not.toBe(offer.offerId);
    await expectSound(saga, offer.rideId);
    expect([await yes(again), await tell(again)]).toEqual(['done', 'done']);
    expect(await newFacts(offer.rideId)).toEqual(['ride.driver_assigned']);
    expect(await settle(saga, offer.rideId)).toEqual(released);
  });

  test.each([
    ['before', 'done', 'assigned', 'accepted'],
    ['after', 'offer_over', 'matching', 'expired'],
  ])('by a slow clock, just %s the round is closed: %s, %s', async (order, answer, status, state) => {
    const offer = await offerOf(await offered(saga));
    let outcome: Outcome | undefined;
    saga.instead.closeOffers = async (round) => {
      saga.instead = {};
      const sayYes = async () => (outcome = await yes(offer, offer.expiresAtMs - 1));
      if (order === 'before') await sayYes();
      const winner = await saga.activities.dispatch.closeOffers(round);
      if (order === 'after') await sayYes();
      // Nobody is asked again meanwhile.
      saga.nearby.length = 0;
      return winner;
    };
    await saga.sleepUntil(offer.expiresAtMs + 100);
    await eventually(() => Promise.resolve(outcome));
    expect(outcome).toBe(answer);
    await saga.until(offer.rideId, (ride) => ride.status === status);
    expect(await stateOf(offer)).toBe(state);
    await expectSound(saga, offer.rideId);
    expect(await settle(saga, offer.rideId)).toEqual(released);
  });
});

describe('a yes and the withdrawal of the offer, because another driver has the ride', () => {
  async function offeredToTwo(): Promise<[Offered, Offered]> {
    const [driverId, other] = [`driver-${uuidv7()}`, `driver-${uuidv7()}`];
    saga.nearby.length = 0;
    await saga.drivers(driverId, other);
    const rideId = await saga.request();
    return Promise.all([offerOf({ rideId, driverId }), offerOf({ rideId, driverId: other })]);
  }

  test.each(['while the other’s yes is not yet told', 'while it is recorded', 'after it'])(
    '%s: refused, and the driver is free',
    async (when) => {
      const [winner, loser] = await offeredToTwo();
      const { rideId, driverId } = winner;
      const answers: Outcome[] = [];
      const late = async () => answers.push(await yes(loser));
      expect(await yes(winner)).toBe('done');
      if (when === 'while the other’s yes is not yet told') await late();
      if (when === 'while it is recorded') saga.before.assignDriver = late;
      expect(await tell(winner)).toBe('done');
      if (when === 'after it') await late();
      expect(answers).toEqual(['offer_over']);
      expect(await stateOf(loser)).toBe('withdrawn');
      expect(await tell(loser)).toBe('illegal_transition');
      expect(await saga.lease(loser.driverId)).toEqual({ offerId: null, rideId: null });
      expect(await expectSound(saga, rideId)).toMatchObject({ status: 'assigned', driverId });
      expect(await settle(saga, rideId)).toEqual(released);
    },
  );
});

describe('a yes and a cancel', () => {
  const cancelling: Move = {
    ...{ update: 'cancel', command: 'cancelByRider' },
    argument: { by: 'rider', reason: 'changed_mind' },
  };

  test('the cancel first: the yes is refused, and the driver is free', async () => {
    const offer = await offerOf(await offered(saga));
    await saga.update(offer.rideId, 'cancel', cancelling.argument!);
    expect(await yes(offer)).toBe('offer_over');
    expect(await stateOf(offer)).toBe('withdrawn');
    expect(await settle(saga, offer.rideId)).toEqual(released);
  });

  const assigned = 'ride.driver_assigned';
  const cancelled = 'ride.cancelled';
  interface Order {
    readonly order: string;
    readonly moves: (offer: Offered) => [Move, Move];
    readonly outcomes: Outcome[];
    readonly facts: string[];
  }
  const orders: Order[] = [
    {
      order: 'told, then cancelled',
      moves: (offer) => [telling(offer), cancelling],
      ...{ outcomes: ['done', 'done'], facts: [assigned, cancelled] },
    },
    {
      order: 'cancelled, then told',
      moves: (offer) => [cancelling, telling(offer)],
      ...{ outcomes: ['done', 'illegal_transition'], facts: [cancelled] },
    },
  ];

  test.each(orders)('the yes first, both heard in one task: $order', async ({ moves, outcomes, facts }) => {
    const sent: { outcome: Promise<Outcome> }[] = [];
    saga.instead.offerRide = async (round) => {
      saga.instead = {};
      const offers = await saga.activities.dispatch.offerRide(round);
      const offer = await offerOf({ rideId: round.rideId, driverId: saga.nearby[0]! });
      expect(await yes(offer)).toBe('done');
      for (const move of moves(offer)) sent.push(await sendToBusy(saga, offer, move));
      return offers;
    };
    saga.nearby.length = 0;
    await saga.drivers(`driver-${uuidv7()}`);
    const rideId = await saga.request();
    await saga.until(rideId, ({ status }) => status === 'cancelled');
    expect(await Promise.all(sent.map(({ outcome }) => outcome))).toEqual(outcomes);
    expect(await newFacts(rideId)).toEqual(facts);
    expect(await settle(saga, rideId)).toEqual(released);
  });

  test.each(orders)(
    'the yes first, the first committed while the second was decided: $order',
    async ({ moves, outcomes, facts }) => {
      const offer = await offerOf(await offered(saga));
      expect(await yes(offer)).toBe('done');
      expect(await committedMeanwhile(saga, offer, moves(offer))).toEqual(outcomes);
      expect(await newFacts(offer.rideId)).toEqual(facts);
      expect(await settle(saga, offer.rideId)).toEqual(released);
    },
  );
});

describe('a yes and another ride’s search for the same driver', () => {
  /** Another ride, which has looked for a driver once, and how many it has asked. */
  async function anotherSearch(): Promise<{ other: string; isAsked: boolean }> {
    let found: number | undefined;
    const other = uuidv7();
    saga.instead.offerRide = async (round) => {
      const offers = round.rideId === other ? await saga.activities.dispatch.offerRide(round) : 0;
      if (round.rideId === other) found ??= offers;
      return offers;
    };
    await saga.request({ rideId: other });
    return { other, isAsked: (await eventually(() => Promise.resolve(found))) > 0 };
  }

  test('the yes first: the driver is passed over, though their ride is not told yet', async () => {
    const offer = await offerOf(await offered(saga));
    expect(await yes(offer)).toBe('done');
    const { other, isAsked } = await anotherSearch();
    expect(isAsked).toBe(false);
    expect(await tell(offer)).toBe('done');
    await expectSound(saga, offer.rideId);
    expect(await expectSound(saga, other)).toMatchObject({ status: 'matching' });
    expect([await settle(saga, offer.rideId), await settle(saga, other)]).toEqual([released, released]);
  });

  test('the other’s offer first, after this one’s time: the late yes is refused, the driver holds the other', async () => {
    const offer = await offerOf(await offered(saga));
    saga.instead.offerRide = () => Promise.resolve(0);
    await saga.sleepUntil(offer.expiresAtMs + 100);
    await eventually(async () => (await stateOf(offer)) === 'expired' || undefined);
    const { other, isAsked } = await anotherSearch();
    expect(isAsked).toBe(true);
    expect([await yes(offer), await tell(offer)]).toEqual(['offer_over', 'offer_over']);
    const { driverId } = offer;
    await saga.accept(driverId);
    expect(await expectSound(saga, other)).toMatchObject({ status: 'assigned', driverId });
    expect(await expectSound(saga, offer.rideId)).toMatchObject({ status: 'matching' });
    expect([await settle(saga, offer.rideId), await settle(saga, other)]).toEqual([released, released]);
  });
});
