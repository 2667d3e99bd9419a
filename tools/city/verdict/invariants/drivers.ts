import { groupBy, type Evidence, type RecordedFact, type Violations } from '../evidence';

interface Turn {
  readonly driverId: string;
  readonly rideId: string;
  readonly from: number;
  readonly until: number;
}

const leaves = new Set(['ride.driver_unassigned', 'ride.completed', 'ride.cancelled']);

/** Promise 5: from its assignment to its end a ride has its driver alone, by the facts' own times. */
export function noDriverOnTwoLiveRides(evidence: Pick<Evidence, 'facts'>): Violations {
  const violations: Violations = [];
  for (const [driverId, turns] of groupBy(turnsOf(evidence.facts), (turn) => turn.driverId)) {
    turns.sort((a, b) => a.from - b.from || a.until - b.until);
    let last: Turn | null = null;
    for (const turn of turns) {
      if (last !== null && turn.from < last.until) {
        violations.push(`driver ${driverId} was on ride ${turn.rideId} while on ${last.rideId}`);
      }
      if (last === null || turn.until > last.until) last = turn;
    }
  }
  return violations;
}

/** Whoever is offline is given no ride: an offer that was open is withdrawn with the end of the shift. */
export function noRideForWhoIsOffline(evidence: Pick<Evidence, 'facts'>): Violations {
  const shifts = groupBy(
    evidence.facts.filter(({ type }) => type === 'driver.went_offline' || type === 'driver.went_online'),
    ({ key }) => key,
  );
  return evidence.facts.flatMap(({ topic, key: rideId, type, at, data }) => {
    if (topic !== 'rides' || !gives.has(type)) return [];
    const { driverId } = data as { driverId: string };
    const last = shifts.get(driverId)?.findLast((shift) => Date.parse(shift.at) <= Date.parse(at));
    return last?.type === 'driver.went_offline'
      ? [`driver ${driverId} was given ride ${rideId} while offline`]
      : [];
  });
}

const gives = new Set(['ride.driver_assigned', 'ride.driver_reserved']);

function turnsOf(facts: readonly RecordedFact[]): Turn[] {
  const turns: Turn[] = [];
  const open = new Map<string, { driverId: string; from: number }>();
  for (const { topic, key: rideId, type, at, data } of facts) {
    if (topic !== 'rides') continue;
    if (type === 'ride.driver_assigned') {
      open.set(rideId, { driverId: (data as { driverId: string }).driverId, from: Date.parse(at) });
    }
    const begun = open.get(rideId);
    if (!begun || !leaves.has(type)) continue;
    turns.push({ ...begun, rideId, until: Date.parse(at) });
    open.delete(rideId);
  }
  for (const [rideId, begun] of open) turns.push({ ...begun, rideId, until: Infinity });
  return turns;
}
