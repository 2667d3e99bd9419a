import fc from 'fast-check';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import { foldRide } from '../../domain/foldRide';
import { standardPolicies } from '../../domain/policies';
import type { Ride, RideCommand, RideCommandType, RideFact } from '../../domain/ride';
import { at, everyCommand, rideRequest } from '../support/rides';

/** A ride as somebody would write it on a board: where it is, with whom, and how many facts there are. */
interface Model {
  where: string;
  driver: string | null;
  reserved: boolean;
  proposed: boolean;
  stops: number;
  facts: number;
}

interface Real {
  ride: Ride | null;
  readonly facts: RideFact[];
  clockMs: number;
}

/**
 * What may happen to a ride, told a second time and by hand, so that the table in domain/ride.ts is held to something
 * that was not made from it: where a command may come, and where it leads (itself where nothing is named).
 */
const story: Record<RideCommandType, { from: string; to?: string }> = {
  schedule: { from: 'nowhere', to: 'scheduled' },
  reschedule: { from: 'scheduled' },
  release: { from: 'scheduled', to: 'requested' },
  request: { from: 'nowhere', to: 'requested' },
  startMatching: { from: 'requested', to: 'matching' },
  failPayment: { from: 'requested', to: 'payment_failed' },
  reserveDriver: { from: 'matching' },
  releaseReservation: { from: 'matching' },
  assignDriver: { from: 'matching', to: 'assigned' },
  giveUpMatching: { from: 'matching', to: 'no_driver' },
  unassignDriver: { from: 'assigned arrived', to: 'matching' },
  reassign: { from: 'assigned arrived', to: 'matching' },
  arrive: { from: 'assigned', to: 'arrived' },
  start: { from: 'arrived', to: 'in_progress' },
  reachStop: { from: 'in_progress' },
  proposeRoute: { from: 'in_progress' },
  declineRoute: { from: 'in_progress' },
  changeRoute: { from: 'in_progress' },
  adjustFare: { from: 'assigned arrived in_progress' },
  complete: { from: 'in_progress', to: 'completed' },
  forceComplete: { from: 'in_progress', to: 'completed' },
  endEarly: { from: 'in_progress', to: 'completed' },
  reportNoShow: { from: 'arrived', to: 'cancelled' },
  cancelByRider: { from: 'scheduled requested matching assigned arrived', to: 'cancelled' },
  cancelByOperator: { from: 'scheduled requested matching assigned arrived in_progress', to: 'cancelled' },
};

const ends = ['completed', 'cancelled', 'no_driver', 'payment_failed'];
const driving = ['assigned', 'arrived', 'in_progress'];
const request = rideRequest({ stops: [rideRequest().dropoff, rideRequest().pickup] });

class Send implements fc.Command<Model, Real> {
  constructor(
    private readonly type: RideCommandType,
    private readonly afterMs: number,
    private readonly driverId: string,
    private readonly stop: number,
  ) {}

  check = (): boolean => true;

  run(model: Model, real: Real): void {
    real.clockMs += this.afterMs;
    const command = this.command(at(real.clockMs));
    const may = story[this.type].from.split(' ').includes(model.where);
    let fact: RideFact;
    try {
      fact = decideRide(command, real.ride, standardPolicies);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (may === (error.code === 'illegal_transition') && !this.isEmptyRelease(model))
        throw new Error(`${this.type} on ${model.where}: ${error.code}`);
      return;
    }
    if (!may) throw new Error(`${this.type} was let through on ${model.where}`);
    real.ride = foldRide(real.ride, fact);
    real.facts.push(fact);
    this.follow(model);
    holds(model, real);
  }

  toString = (): string => `${this.type}(${this.driverId}, stop ${this.stop}) after ${this.afterMs} ms`;

  private command(time: string): RideCommand {
    const command = everyCommand(time).find(({ type }) => type === this.type)!;
    const who = 'driverId' in command ? { driverId: this.driverId } : {};
    const what =
      command.type === 'request' ? { request } : command.type === 'reachStop' ? { stop: this.stop } : {};
    return { ...command, ...who, ...what };
  }

  /** Nobody is reserved: refused in the right state all the same. */
  private isEmptyRelease = (model: Model): boolean => this.type === 'releaseReservation' && !model.reserved;

  private follow(model: Model): void {
    const { type } = this;
    model.facts += 1;
    model.where = story[type].to ?? model.where;
    if (type === 'reserveDriver') model.reserved = true;
    if (type === 'releaseReservation') model.reserved = false;
    if (type === 'assignDriver') model.driver = this.driverId;
    if (type === 'unassignDriver' || type === 'reassign') model.driver = null;
    if (type === 'proposeRoute') model.proposed = true;
    if (type === 'declineRoute' || type === 'changeRoute') model.proposed = false;
    if (type === 'reachStop') model.stops += 1;
    if (model.where !== 'matching') model.reserved = false;
    if (model.where !== 'in_progress') model.proposed = false;
  }
}

/** What has to be true of a ride after every fact. */
function holds(model: Model, { ride, facts }: Real): void {
  if (ride === null) throw new Error('a fact, and no ride');
  const over = ends.includes(model.where);
  const { chargeMinor, waitingMinor, fare } = ride;
  const rules: Record<string, boolean> = {
    'is where the story has it': ride.status === model.where,
    'has a version for every fact': ride.version === model.facts && facts.length === model.facts,
    'has its driver': driving.includes(model.where) ? ride.driverId === model.driver : true,
    'has a driver only after one was assigned': ride.driverId === null || ride.assignedAt !== null,
    'has its reservation': (ride.reservedDriverId !== null) === model.reserved,
    'has its proposal': (ride.routeChange !== null) === model.proposed,
    'has its stops': ride.stopsReached === model.stops,
    'owes something exactly when it is over':
      (chargeMinor !== null) === over && (ride.endedAt !== null) === over,
    'owes no more than fare and waiting':
      chargeMinor === null || chargeMinor <= fare.totalMinor + waitingMinor,
    'waits for no more than the cap': waitingMinor <= standardPolicies.waitingCapMinor,
    'never asks a driver again who was taken off it':
      model.where !== 'matching' ||
      facts.every(
        (f) => f.type !== 'ride.driver_unassigned' || ride.excludedDriverIds.includes(f.data.driverId),
      ),
  };
  const broken = Object.keys(rules).find((rule) => !rules[rule]);
  if (broken)
    throw new Error(`a ride that is ${ride.status} (${facts.at(-1)?.type}): not true that it ${broken}`);
  if (over && JSON.stringify(facts.reduce<Ride | null>(foldRide, null)) !== JSON.stringify(ride))
    throw new Error('folding the facts gives another ride');
}

/** Likely commands first: a sequence at random would rarely get further than a request. */
const commands = fc
  .tuple(
    fc.constantFrom(...(Object.keys(story) as RideCommandType[]), ...forward()),
    fc.nat(400_000),
    fc.constantFrom('driver-1', 'driver-1', 'driver-1', 'driver-2'),
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([type, afterMs, driverId, stop]) => new Send(type, afterMs, driverId, stop));

function forward(): RideCommandType[] {
  const way: RideCommandType[] = [
    'request',
    'startMatching',
    'assignDriver',
    'arrive',
    'start',
    'proposeRoute',
  ];
  return [...way, ...way, ...way];
}

const SEQUENCES = 100_000;

test(`${SEQUENCES} sequences of commands: what is illegal is refused, every ride ends once, its facts leave no gap`, () => {
  const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`rideModel: seed ${seed} (FC_SEED=${seed} repeats it)\n`);
  const ended = new Map<string, number>();
  fc.assert(
    fc.property(fc.commands([commands], { maxCommands: 40, size: '+1' }), (sequence) => {
      const real: Real = { ride: null, facts: [], clockMs: 0 };
      const model: Model = {
        where: 'nowhere',
        driver: null,
        reserved: false,
        proposed: false,
        stops: 0,
        facts: 0,
      };
      fc.modelRun(() => ({ model, real }), sequence);
      ended.set(model.where, (ended.get(model.where) ?? 0) + 1);
    }),
    { numRuns: SEQUENCES, seed },
  );
  // The sequences are worth their name only if they get everywhere, and to each end often.
  const where = Object.values(story).flatMap(({ to }) => to ?? []);
  expect([...new Set(where)].filter((status) => !ended.has(status))).toEqual([]);
  expect(Math.min(...ends.map((end) => ended.get(end) ?? 0))).toBeGreaterThan(SEQUENCES / 1_000);
}, 300_000);
