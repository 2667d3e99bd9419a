import { CancellationScope, condition, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../domain/names';
import type { Policies } from '../domain/policies';
import { paymentWaits, type PaymentWait } from '../domain/stuck';
import { Card, type Parked } from './card';
import { now } from './now';

/** What a card says of the aggregate itself. */
export interface Subject {
  readonly where: string;
  readonly version: number;
  readonly about: string;
  /** What `HailwayStatus` says, if anything: each change of it is an event of the history. */
  readonly phase?: string;
}

/** Something that a saga does with others' help, for as long as it takes. */
interface Doing {
  readonly waitsFor: string;
  readonly since: string;
  readonly action: string;
  failed: boolean;
  late: boolean;
}

/** What an operator sees of a saga of the payments in Temporal's web UI: its card, and whether it is stuck. */
export class SagaView<State> {
  private readonly card = new Card();
  private story = { waitsFor: 'its first step', since: now(), next: 'nothing to do' };
  private readonly underWay: Doing[] = [];
  private shown: { readonly stuck: boolean; readonly phase: string | undefined };

  /** @param subject what is said before the first fact */
  constructor(
    private readonly policies: Policies,
    private subject: Subject,
    private readonly subjectOf: (state: State) => Subject,
  ) {
    this.shown = { stuck: false, phase: subject.phase };
  }

  /** After every fact. */
  show(state: State): void {
    this.subject = this.subjectOf(state);
    this.tell();
  }

  /** What is waited for from now on, when nothing else is under way, and what an operator may do. */
  waits(waitsFor: string, next = 'nothing to do'): void {
    this.story = { waitsFor, since: now(), next };
    this.tell();
  }

  /** Something under way did not succeed at once and is tried again. */
  failed(what: string, error: unknown): void {
    const doing = this.underWay.at(-1);
    if (doing) doing.failed = true;
    this.card.failed(what, error);
    this.tell();
  }

  /** Nothing goes on before an operator has spoken; null when that has happened. */
  park(parked: Parked | null): void {
    this.card.park(parked);
    this.tell();
  }

  /**
   * Shows what is waited for while a task goes on, and that it is stuck where it fails and takes longer than it may. A
   * task that does not fail costs no timer.
   */
  async during<T>(wait: PaymentWait, what: string, task: () => Promise<T>): Promise<T> {
    const { for: whom, limitMs, action } = paymentWaits[wait];
    const doing: Doing = { waitsFor: `${whom}: ${what}`, since: now(), action, failed: false, late: false };
    const lateAtMs = Date.now() + limitMs(this.policies);
    const looking = new CancellationScope();
    const look = async (): Promise<void> => {
      await condition(() => doing.failed);
      await sleep(Math.max(1, lateAtMs - Date.now()), { summary: 'look whether it is stuck' });
      doing.late = true;
      this.tell();
    };
    this.underWay.push(doing);
    looking.run(look).catch(() => undefined);
    this.tell();
    try {
      return await task();
    } finally {
      looking.cancel();
      this.underWay.splice(this.underWay.indexOf(doing), 1);
      this.tell();
    }
  }

  private tell(): void {
    const late = this.underWay.find((doing) => doing.late);
    const doing = late ?? this.underWay.at(-1);
    const stuck = this.card.isParked || late !== undefined;
    const { phase } = this.subject;
    const changed = [
      ...(stuck === this.shown.stuck ? [] : [{ key: searchAttributes.stuck, value: stuck }]),
      ...(phase === this.shown.phase ? [] : [{ key: searchAttributes.status, value: phase ?? null }]),
    ];
    this.shown = { stuck, phase };
    if (changed.length > 0) upsertSearchAttributes(changed);
    const { waitsFor, since } = doing ?? this.story;
    this.card.show({ ...this.subject, since, waitsFor, next: late?.action ?? this.story.next });
  }
}
