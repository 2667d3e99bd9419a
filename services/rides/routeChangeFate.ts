import type { Ride, RideFact } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import { rideFactsOf } from './store';

/** What became of a change of the route: a newer one may have replaced one that is `proposed`. */
export type RouteChangeFate = 'unknown' | 'open' | 'proposed' | 'declined' | 'unpaid' | 'applied';

/** What became of a change by what is committed: the ride, or, where the change is not open, its facts. */
export async function fateOf(db: Queryable, ride: Ride, changeId: string): Promise<RouteChangeFate> {
  if (ride.routeChange?.changeId === changeId) return 'open';
  const facts = (await rideFactsOf(db, [ride.rideId])).get(ride.rideId) ?? [];
  return facts.reduce<RouteChangeFate>((fate, fact) => after(fact, changeId) ?? fate, 'unknown');
}

function after(fact: RideFact, changeId: string): RouteChangeFate | undefined {
  switch (fact.type) {
    case 'ride.route_change_proposed':
      return fact.data.changeId === changeId ? 'proposed' : undefined;
    case 'ride.route_changed':
      return fact.data.changeId === changeId ? 'applied' : undefined;
    case 'ride.route_change_declined':
      if (fact.data.changeId !== changeId) return undefined;
      return fact.data.by === 'payment' ? 'unpaid' : 'declined';
    default:
      return undefined;
  }
}
