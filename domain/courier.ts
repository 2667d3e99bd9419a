import { DomainError } from './errors';
import { distanceMeters, type Point } from './geo';

/** Up to here the best order is found; beyond, a good one. */
export const EXACT_DROPS = 8;

/** More than this is a van's work. */
export const MAX_DROPS = 25;

/** Two points nearer than this are one place: a door has a street number, a drop has its own. */
const SAME_PLACE_METERS = 10;

/** The way from the pickup through all drops in this order, in meters of the straight line. */
export function wayMeters(pickup: Point, drops: readonly Point[]): number {
  return drops.reduce((sum, drop, i) => sum + distanceMeters(i === 0 ? pickup : drops[i - 1]!, drop), 0);
}

/**
 * The drops in the order in which a courier makes them, every one once: the shortest way from the pickup that ends at
 * the last of them, for up to `EXACT_DROPS`; beyond, a way that no turning round of a part makes shorter, and that is
 * never longer than the order given. The road factor is the same for every leg, so straight lines decide.
 * The first `fixed` drops stay where they are, since a courier may have made them: the rest is ordered from the last of
 * these.
 * @throws DomainError `too_many_drops`, `courier_cycle`
 */
export function orderDrops(pickup: Point, drops: readonly Point[], fixed = 0): Point[] {
  checkDrops(pickup, drops);
  const made = drops.slice(0, fixed);
  return [...made, ...shortestWay(made.at(-1) ?? pickup, drops.slice(fixed))];
}

function shortestWay(start: Point, drops: readonly Point[]): Point[] {
  if (drops.length <= 1) return [...drops];
  const points = [start, ...drops];
  const meters = points.map((from) => points.map((to) => distanceMeters(from, to)));
  const order = drops.length <= EXACT_DROPS ? shortest(meters) : improved(meters);
  return order.map((index) => points[index]!);
}

/** @throws DomainError `too_many_drops`, `courier_cycle` where the way would come back to a place it has been to */
export function checkDrops(pickup: Point, drops: readonly Point[]): void {
  if (drops.length > MAX_DROPS) {
    throw new DomainError('too_many_drops', `A courier makes ${MAX_DROPS} drops at most.`, {
      drops: drops.length,
      maxDrops: MAX_DROPS,
    });
  }
  const places = [pickup, ...drops];
  for (const [later, place] of places.entries()) {
    const earlier = places.findIndex((other) => distanceMeters(other, place) < SAME_PLACE_METERS);
    if (earlier === later) continue;
    const where = earlier === 0 ? 'the pickup' : `drop ${earlier}`;
    throw new DomainError('courier_cycle', `Drop ${later} is where ${where} is.`, { drop: later });
  }
}

type Meters = readonly (readonly number[])[];

/**
 * Held and Karp (1962): the shortest way to `last` through a set of drops is the shortest one to another drop of the
 * set through the rest of it, and a leg. Point 0 is the pickup; sets are bits, drop i is bit i − 1.
 */
function shortest(meters: Meters): number[] {
  const drops = meters.length - 1;
  const sets = 1 << drops;
  const best = Array.from({ length: sets }, () => new Array<number>(drops + 1).fill(Infinity));
  const before = Array.from({ length: sets }, () => new Array<number>(drops + 1).fill(0));
  for (let set = 1; set < sets; set += 1) {
    for (let last = 1; last <= drops; last += 1) {
      const rest = set & ~(1 << (last - 1));
      if (rest === set) continue;
      if (rest === 0) best[set]![last] = meters[0]![last]!;
      for (let previous = 1; previous <= drops; previous += 1) {
        const length = best[rest]![previous]! + meters[previous]![last]!;
        if (length >= best[set]![last]!) continue;
        best[set]![last] = length;
        before[set]![last] = previous;
      }
    }
  }
  const order: number[] = [];
  let set = sets - 1;
  let last = best[set]!.indexOf(Math.min(...best[set]!));
  while (last !== 0) {
    order.unshift(last);
    const previous = before[set]![last]!;
    set &= ~(1 << (last - 1));
    last = previous;
  }
  return order;
}

/** The shorter of two ways, each turned round in parts until that helps no more: as given, and nearest next. */
function improved(meters: Meters): number[] {
  const given = untangled(
    Array.from({ length: meters.length - 1 }, (_, i) => i + 1),
    meters,
  );
  const nearest = untangled(nearestNext(meters), meters);
  return lengthOf(nearest, meters) < lengthOf(given, meters) ? nearest : given;
}

function nearestNext(meters: Meters): number[] {
  const left = new Set(Array.from({ length: meters.length - 1 }, (_, i) => i + 1));
  const order: number[] = [];
  for (let at = 0; left.size > 0; at = order.at(-1)!) {
    const next = [...left].reduce((a, b) => (meters[at]![b]! < meters[at]![a]! ? b : a));
    left.delete(next);
    order.push(next);
  }
  return order;
}

/** 2-opt on a way with a free end (Croes 1958). It ends: every turn makes the way shorter by what can be measured. */
function untangled(start: readonly number[], meters: Meters): number[] {
  const A_MILLIMETER = 0.001;
  let order = [...start];
  for (let turned = true; turned;) {
    turned = false;
    for (let from = 0; from < order.length - 1; from += 1) {
      for (let to = from + 1; to < order.length; to += 1) {
        const before = meters[order[from - 1] ?? 0]!;
        const after = order[to + 1];
        const saved =
          before[order[from]!]! -
          before[order[to]!]! +
          (after === undefined ? 0 : meters[order[to]!]![after]! - meters[order[from]!]![after]!);
        if (saved < A_MILLIMETER) continue;
        order = [...order.slice(0, from), ...order.slice(from, to + 1).reverse(), ...order.slice(to + 1)];
        turned = true;
      }
    }
  }
  return order;
}

const lengthOf = (order: readonly number[], meters: Meters): number =>
  order.reduce((sum, drop, i) => sum + meters[order[i - 1] ?? 0]![drop]!, 0);
