import { CancellationScope } from '@temporalio/workflow';
import { stepId } from '../domain/names';
import type { Recorded, Step } from '../domain/sagas';
import { now } from './now';
import type { SagaView } from './sagaView';
import { ownDatabase } from './steps';

interface Versioned {
  readonly version: number;
}

/** What a record needs to know of its aggregate. */
export interface RecordedAggregate<State extends Versioned, Data> {
  readonly id: string;
  /** The activity of each fact. */
  readonly steps: Readonly<Record<keyof Data & string, string>>;
  /** The activity that reads what is committed. */
  readonly committed: string;
  readonly mayFollow: (state: State | null, type: keyof Data & string) => boolean;
}

/** An aggregate as a workflow knows it that may begin anew behind what is committed, and the one way to change it. */
export class FactRecord<State extends Versioned, Data extends object> {
  private current: State | null = null;
  private readonly activities = ownDatabase<
    Record<string, (argument: unknown) => Promise<Recorded<State> & State>>
  >({ onTrouble: (step, error) => this.view.failed(step, error) });

  constructor(
    private readonly aggregate: RecordedAggregate<State, Data>,
    private readonly view: SagaView<State>,
  ) {}

  /** Null before the first fact. */
  get state(): State | null {
    return this.current;
  }

  /** Begins with what an earlier run has committed, if there was one. */
  async load(): Promise<void> {
    const { id, committed } = this.aggregate;
    const state = await this.view.during('database', 'read what is committed', () =>
      this.activities[committed]!(id),
    );
    if (state !== null) this.become(state);
  }

  /**
   * Records what happened, with its booking in the ledger, whoever cancels the workflow meanwhile. Where something else
   * is committed by now and the fact does not follow on it, that stands.
   * @throws ApplicationFailure what the activity refuses
   */
  async add<T extends keyof Data & string>(type: T, data: Data[T]): Promise<State> {
    const { id, steps, mayFollow } = this.aggregate;
    if (!mayFollow(this.current, type)) throw new Error(`impossible: ${type} on ${id} as it is`);
    const fact = { type, at: now(), data: data as object };
    const record = async (): Promise<State> => {
      for (;;) {
        const expectedVersion = this.current?.version ?? 0;
        const step: Step<typeof fact> = {
          stepId: stepId(id, steps[type], expectedVersion),
          aggregateId: id,
          expectedVersion,
          fact,
        };
        const { applied, state } = await this.activities[steps[type]]!(step);
        this.become(state);
        if (applied || !mayFollow(state, type)) return state;
      }
    };
    return CancellationScope.nonCancellable(() => this.view.during('database', steps[type], record));
  }

  private become(state: State): void {
    this.current = state;
    this.view.show(state);
  }
}
