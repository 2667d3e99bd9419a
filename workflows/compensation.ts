import {
  CancellationScope,
  condition,
  defineUpdate,
  setHandler,
  ApplicationFailure,
} from '@temporalio/workflow';
import { operatorUpdates } from '../domain/names';
import type { Parked } from './card';
import { causeOf } from './steps';

/** What an operator's `skip` does to what cannot be done. */
export interface Skip {
  /** In words, for the card. */
  readonly means: string;
  readonly does: () => Promise<void>;
}

interface Compensation {
  readonly name: string;
  readonly undo: () => Promise<void>;
  readonly skip: Skip;
}

type Verdict = 'retry' | 'skip';

const whatToDo = ({ means }: Skip): string =>
  `mend the cause and send the Update \`${operatorUpdates.retryCompensation}\`, ` +
  `or send \`${operatorUpdates.skipCompensation}\`: ${means}`;

/** Where nothing is left to be done once somebody has seen to it. */
const byHand: Skip = { means: 'you have settled it by hand', does: () => Promise.resolve() };

/**
 * What has to be undone if the saga does not reach its end. Registered BEFORE the step that it undoes, because a step
 * that timed out may have happened; so each has to tolerate that there is nothing to undo. What cannot be undone, or
 * must be done and cannot, is parked for an operator.
 */
export class Compensations {
  private readonly pending: Compensation[] = [];
  private parked: string | undefined;
  private verdict: Verdict | undefined;

  constructor(private readonly onPark: (parked: Parked | null) => void) {
    this.answer(operatorUpdates.retryCompensation, 'retry');
    this.answer(operatorUpdates.skipCompensation, 'skip');
  }

  /** Whether something waits for an operator. */
  get isParked(): boolean {
    return this.parked !== undefined;
  }

  add(name: string, undo: () => Promise<void>, skip = byHand): void {
    this.pending.push({ name, undo, skip });
  }

  /** The saga reached its end: what was registered stands. */
  clear(): void {
    this.pending.length = 0;
  }

  /** An operator's word on what is parked. */
  decide(verdict: Verdict): void {
    this.verdict = verdict;
  }

  /** Undoes what was registered, the last first, whoever cancels; what cannot be undone waits for an operator. */
  async run(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let next = this.pending.pop(); next; next = this.pending.pop())
        await this.insist(next.name, next.undo, { skip: next.skip });
    });
  }

  /**
   * Does what must be done; where that fails it waits for an operator, who has it tried again or skipped, or for what
   * makes it needless. What skipping does may fail, too, and waits then.
   */
  async insist(
    name: string,
    task: () => Promise<void>,
    { skip = byHand, until = () => false }: { skip?: Skip; until?: () => boolean } = {},
  ): Promise<void> {
    for (let next = task; ;) {
      try {
        return await next();
      } catch (error) {
        const verdict = await this.park(name, error, whatToDo(skip), until);
        if (verdict === undefined) return;
        next = verdict === 'retry' ? task : skip.does;
      }
    }
  }

  private async park(
    name: string,
    error: unknown,
    next: string,
    until: () => boolean,
  ): Promise<Verdict | undefined> {
    const cause = causeOf(error);
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.parked = name;
    this.verdict = undefined;
    this.onPark({ what: name, reason, next });
    try {
      await condition(() => this.verdict !== undefined || until());
      return this.verdict;
    } finally {
      this.parked = undefined;
      this.onPark(null);
    }
  }

  private answer(update: string, verdict: Verdict): void {
    setHandler(defineUpdate<void>(update), () => this.decide(verdict), {
      validator: () => {
        if (!this.isParked) throw ApplicationFailure.nonRetryable('Nothing is parked.', 'nothing_parked');
      },
      description: `Operator: ${verdict} what could not be done`,
    });
  }
}
