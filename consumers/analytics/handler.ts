import { latLngToCell } from 'h3-js';
import type { ReadBy } from '../../contracts/consumers';
import { readerOf, type KnownFact } from '../../contracts/knownFact';
import { CodedError } from '../../platform/errors';
import type { Fact, Handle } from '../../platform/inbox';
import type { Tx } from '../../platform/postgres';
import { addDemand, cellsOf, forgetCells, rememberCells, type DemandChange, type DemandCount } from './store';

/** Hexagons of about 460 m edge: a few blocks. Older requests say the place alone. */
const H3_RESOLUTION = 8;

const read = readerOf('analytics');
type Read = KnownFact<ReadBy<'analytics'>>;

/** What an end of a ride counts as; null ends it without being counted. */
const endings: Readonly<Record<string, DemandCount | null>> = {
  'ride.completed': 'completed',
  'ride.cancelled': 'cancelled',
  'ride.no_driver_found': 'noDriver',
  'ride.payment_failed': null,
} satisfies Partial<Record<Read['type'], DemandCount | null>>;

/**
 * Counts demand: rides requested and ended, by the cell of the pickup and the minute in which it happened (not in
 * which it arrived). A batch is four statements at most, however many facts it has.
 * @throws FactInvalid; CodedError `ride_not_seen` for the end of a ride whose request never came.
 */
export const countDemand: Handle = async (tx, facts) => {
  const requested = pickupCells(facts);
  const ended = facts.filter(({ type }) => type in endings);
  await rememberCells(tx, requested);
  const cells = await knownCells(tx, requested, ended);

  const changes = new Map<string, Record<DemandCount, number> & DemandChange>();
  const count = (what: DemandCount, fact: Fact): void => {
    const cell = cells.get(fact.key);
    if (cell === undefined) {
      throw new CodedError('ride_not_seen', `${fact.id} has no request before it`);
    }
    const minute = minuteOf(fact);
    const place = `${minute} ${cell}`;
    const change = changes.get(place) ?? {
      minute,
      cell,
      requested: 0,
      completed: 0,
      cancelled: 0,
      noDriver: 0,
    };
    change[what]++;
    changes.set(place, change);
  };
  for (const fact of facts) {
    if (fact.type === 'ride.requested') count('requested', fact);
    const ending = endings[fact.type];
    if (ending) count(ending, fact);
  }
  await addDemand(tx, [...changes.values()]);
  await forgetCells(
    tx,
    ended.map(({ key }) => key),
  );
};

/** Where the rides of this batch begin, as it was asked for last. */
function pickupCells(facts: readonly Fact[]): Map<string, string> {
  const cells = new Map<string, string>();
  for (const fact of facts) {
    const known = read(fact);
    if (!isRequest(known)) continue;
    const { pickup, pickupCell = latLngToCell(pickup.lat, pickup.lng, H3_RESOLUTION) } = known.data;
    cells.set(fact.key, pickupCell);
  }
  return cells;
}

type Request = Extract<Read, { type: 'ride.requested' | 'ride.scheduled' | 'ride.rescheduled' }>;

const isRequest = (fact: Read | null): fact is Request =>
  fact?.type === 'ride.requested' || fact?.type === 'ride.scheduled' || fact?.type === 'ride.rescheduled';

/** Rides of this batch are at hand; only those requested before are looked up. */
async function knownCells(
  tx: Tx,
  requested: ReadonlyMap<string, string>,
  ended: readonly Fact[],
): Promise<ReadonlyMap<string, string>> {
  const earlier = ended.map(({ key }) => key).filter((rideId) => !requested.has(rideId));
  return new Map([...requested, ...(await cellsOf(tx, earlier))]);
}

/** The start of the minute in which it happened. */
function minuteOf(fact: Fact): string {
  const at = Date.parse(fact.time);
  if (Number.isNaN(at)) throw new CodedError('fact_invalid', `${fact.id}: ce_time ${fact.time} is no time`);
  return new Date(Math.floor(at / 60_000) * 60_000).toISOString();
}
