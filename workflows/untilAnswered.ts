import { CancellationScope, proxyActivities, sleep } from '@temporalio/workflow';
import type { UntypedActivities } from '@temporalio/workflow';
import { causeOf, isFinal } from './steps';
import { pauseWanted, retryInTurn } from './turns';

/** Whom a call is shown to while it goes on. */
interface View {
  during<T>(wait: 'provider', what: string, task: () => Promise<T>): Promise<T>;
  failed(what: string, error: unknown): void;
}

/** Activities, each asked for with words for the operator before its argument. */
export type Asking<A> = {
  readonly [K in keyof A]: A[K] extends (order: infer Order) => Promise<infer Answer>
    ? (what: string, order: Order) => Promise<Answer>
    : never;
};

/**
 * Calls to the provider, which leave the house: regular activities that never give up, whoever cancels. Each is safe to
 * repeat; the card says what is waited for and what failed last.
 * @throws what is not to be tried again
 */
export function untilAnswered<A>(view: View): Asking<A> {
  const activities = proxyActivities<UntypedActivities>({ startToCloseTimeout: '30s' });
  const tried = async (
    call: string,
    what: string,
    order: unknown,
    turn: number,
  ): Promise<{ answer: unknown } | undefined> => {
    try {
      const options = { summary: what, retry: retryInTurn(turn) };
      return { answer: (await activities[call]!.executeWithOptions(options, [order])) as unknown };
    } catch (error) {
      if (isFinal(error)) throw error;
      const cause = causeOf(error);
      view.failed(what, cause);
      const pauseMs = pauseWanted(cause);
      if (pauseMs > 0) await sleep(pauseMs, { summary: 'the provider wants to be asked later' });
      return undefined;
    }
  };
  return new Proxy({} as Asking<A>, {
    get: (_target, call: string) => (what: string, order: unknown) =>
      CancellationScope.nonCancellable(() =>
        view.during('provider', what, async () => {
          for (let turn = 0; ; turn += 1) {
            const outcome = await tried(call, what, order, turn);
            if (outcome) return outcome.answer;
          }
        }),
      ),
  });
}
