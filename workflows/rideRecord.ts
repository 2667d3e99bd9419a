import { CancellationScope } from '@temporalio/workflow';
import type { RideMessages } from '../activities/messages';
import type { RideActivities } from '../activities/rides';
import { decideRide } from '../domain/decideRide';
import { stepId } from '../domain/names';
import type { Policies } from '../domain/policies';
import { hasEnded } from '../domain/ride';
import type { Ride, RideCommand, RideFact, RideStatus } from '../domain/ride';
import type { DriverLease } from '../domain/sagas';
import { createLock } from './lock';
import { OperatorView } from './operatorView';
import { asRefusal, isOvertaken, mayBeBehind } from './refusal';
import { ownDatabase } from './steps';

/** What is not heard within this is found out by the deadline of who waits for it. */
const messages = ownDatabase<RideMessages>({ patience: '10s' });

/** The ride as this workflow knows it, and the one way to change it: decide purely, then record. */
export class RideRecord {
  private current: Ride | null = null;
  private lease: DriverLease | undefined;
  /** Steps of attempts that were lost, whose commands may come again. */
  private readonly lostSteps = new Set<string>();
  private readonly oneAtATime = createLock();
  private readonly transitions = ownDatabase<RideActivities['transitions']>({
    onTrouble: (step, error) => this.operators.failed(step, error),
  });
  private readonly reads = ownDatabase<RideActivities['lifecycle']>({
    onTrouble: (step, error) => this.operators.failed(step, error),
  });
  readonly operators: OperatorView;

  constructor(
    private readonly rideId: string,
    private readonly policies: Policies,
    beginsAs: 'scheduled' | 'requested' = 'requested',
  ) {
    this.operators = new OperatorView(policies, beginsAs);
  }

  get ride(): Ride {
    if (this.current === null) throw new Error('impossible: asked for a ride that is not recorded');
    return this.current;
  }

  get isRecorded(): boolean {
    return this.current !== null;
  }

  get hasEnded(): boolean {
    return this.current !== null && hasEnded(this.current);
  }

  /** Whether the last driver whom this ride reserved was on no ride then. */
  get reservedIsFree(): boolean {
    return this.lease?.rideId === null;
  }

  is(...statuses: RideStatus[]): boolean {
    return this.current !== null && statuses.includes(this.current.status);
  }

  /** Begins with a ride that another workflow has recorded so far. */
  goOnFrom(ride: Ride): void {
    this.current = ride;
    this.operators.show(ride);
  }

  /**
   * Decides on the ride as it is, and records the fact with the state, whoever cancels the workflow meanwhile.
   * @throws ApplicationFailure with the domain's code where a rule forbids it
   */
  async apply(command: RideCommand): Promise<Ride> {
    return CancellationScope.nonCancellable(() => this.oneAtATime(() => this.decideAndRecord(command)));
  }

  /** The story's own next step: not an error where a cancel or another command has overtaken it. */
  async advance(command: RideCommand): Promise<void> {
    try {
      await this.apply(command);
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
  }

  /**
   * Says whether a command would be let through, before something is done for it that cannot be taken back.
   * @throws ApplicationFailure with the domain's code where a rule forbids it
   */
  async mustAllow(command: RideCommand): Promise<void> {
    try {
      await this.decide(command);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /**
   * Before a command is refused, the committed ride is asked: a step whose Update was lost, with its server, may have
   * moved the ride on without this workflow.
   */
  private async decide(command: RideCommand): Promise<RideFact> {
    try {
      return decideRide(command, this.current, this.policies);
    } catch (error) {
      const committed = this.current && mayBeBehind(error) ? await this.reads.readRide(this.rideId) : null;
      if (committed === null || committed.version === this.current?.version) throw error;
      this.goOnFrom(committed);
      return decideRide(command, committed, this.policies);
    }
  }

  /**
   * Whether a lost attempt had done this: when the workflow's task comes again, a signal that came meanwhile is heard
   * first, and the command finds its own step as somebody else's.
   */
  private wasDone(command: RideCommand): boolean {
    const ofCommand = `${this.rideId}/${stepName(command)}/`;
    const step = [...this.lostSteps].find((lost) => lost.startsWith(ofCommand));
    return step !== undefined && this.lostSteps.delete(step);
  }

  private async decideAndRecord(command: RideCommand): Promise<Ride> {
    for (;;) {
      try {
        const fact = await this.decide(command);
        const expectedVersion = this.current?.version ?? 0;
        const recorded = await this.transitions[command.type]({
          stepId: stepId(this.rideId, stepName(command), expectedVersion),
          aggregateId: this.rideId,
          expectedVersion,
          fact,
        });
        this.current = recorded.state;
        this.lease = recorded.lease;
        this.operators.show(recorded.state);
        await tellNextRide(recorded.lease, this.rideId);
        if (recorded.applied) return recorded.state;
        // A step of an attempt that was lost had taken the version: what it did stands, decide anew on it.
        for (const step of recorded.takenBy ?? []) this.lostSteps.add(step);
      } catch (error) {
        if (isOvertaken(error) && this.wasDone(command)) return this.ride;
        throw asRefusal(error);
      }
    }
  }
}

/**
 * Two proposals, two fares, or two changes of a schedule are two steps, whichever of them was recorded by an attempt
 * that was lost.
 */
function stepName(command: RideCommand): string {
  switch (command.type) {
    case 'proposeRoute':
      return `${command.type}:${command.change.changeId}`;
    case 'declineRoute':
    case 'changeRoute':
      return `${command.type}:${command.changeId}`;
    case 'adjustFare':
      return `${command.type}:${command.totalMinor}`;
    case 'reschedule':
      return `${command.type}:${command.request.quoteId ?? ''}:${command.request.scheduledFor ?? ''}`;
    default:
      return command.type;
  }
}

/**
 * The driver of this ride is free: the ride that waits for them goes on at once, and finds out later if this is lost.
 */
async function tellNextRide(lease: DriverLease | undefined, rideId: string): Promise<void> {
  if (!lease?.nextRideId || lease.rideId !== null || lease.nextRideId === rideId) return;
  await messages.tellDriverFree({ rideId: lease.nextRideId }).catch(() => undefined);
}
