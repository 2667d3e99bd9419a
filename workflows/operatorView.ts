import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../domain/names';
import type { Policies } from '../domain/policies';
import { drivingStatuses, terminalRideStatuses } from '../domain/ride';
import type { Ride, RideStatus } from '../domain/ride';
import { stuckIn, waitsFor } from '../domain/stuck';
import { Card, type Parked } from './card';
import { now } from './now';

/** What an operator sees of a ride in Temporal's web UI: its card, and the attributes that it is found by. */
export class OperatorView {
  private readonly card = new Card();
  private ride: Ride | null = null;
  private shown: { status: string; driverId: string | null; stuck: boolean };
  private troubled = false;
  private handedOver = false;

  /** `status`: of the ride when its workflow was started; the attribute says it already. */
  constructor(
    private readonly policies: Policies,
    status: 'scheduled' | 'requested',
  ) {
    this.shown = { status: phaseOf(status), driverId: null, stuck: false };
  }

  /** Whether any step did not succeed at once. */
  get hasFailed(): boolean {
    return this.troubled;
  }

  /** After every transition. Each upsert is an event of the history: only what has changed is told. */
  show(ride: Ride): void {
    this.ride = ride;
    this.tell();
  }

  /** A step did not succeed at once and is tried again. */
  failed(step: string, error: unknown): void {
    this.troubled = true;
    this.card.failed(step, error);
    this.tell();
  }

  /** Nothing goes on before an operator has spoken; null when that has happened. */
  park(parked: Parked | null): void {
    this.card.park(parked);
    this.tell();
  }

  /** The ride goes on in a workflow of its own: whatever it waits for, it is not this one that is stuck. */
  handOver(): void {
    this.handedOver = true;
    this.tell();
  }

  /** Looks again whether the ride waits longer than its state allows. */
  tell(): void {
    if (this.ride === null) return;
    const { driverId, quoteId, version } = this.ride;
    const status = phaseOf(this.ride.status);
    const overdue = stuckIn(this.ride, now(), this.policies);
    const stuck = !this.handedOver && (this.card.isParked || overdue !== null);
    const changed = [
      ...(status === this.shown.status ? [] : [{ key: searchAttributes.status, value: status }]),
      ...(driverId === this.shown.driverId ? [] : [{ key: searchAttributes.driverId, value: driverId }]),
      ...(stuck === this.shown.stuck ? [] : [{ key: searchAttributes.stuck, value: stuck }]),
    ];
    this.shown = { status, driverId, stuck };
    if (changed.length > 0) upsertSearchAttributes(changed);
    this.card.show({
      where: this.ride.status,
      version,
      since: since(this.ride),
      waitsFor: waitsFor(this.ride.status),
      about: `driver: ${driverId === null ? 'none' : `\`${driverId}\``}; quote: \`${quoteId}\``,
      next: overdue?.action ?? 'nothing to do',
    });
  }
}

/**
 * What `HailwayStatus` says: the end a ride has come to, or in which half of its life it is. The card has it exactly;
 * an event of the history for every state would be too much for a list.
 */
function phaseOf(status: RideStatus): string {
  if (drivingStatuses.includes(status)) return 'with_driver';
  return status === 'scheduled' || terminalRideStatuses.includes(status) ? status : 'searching';
}

const since = (ride: Ride): string =>
  ride.endedAt ??
  ride.startedAt ??
  ride.arrivedAt ??
  ride.assignedAt ??
  ride.matchingSince ??
  ride.requestedAt;
