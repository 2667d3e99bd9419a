import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { answerInDoubt } from '../domain/operatorsWord';
import { mayFollow } from '../domain/payment';
import type { ProviderCall } from '../domain/paymentFacts';
import type { Policies } from '../domain/policies';
import type { OperatorsWord } from '../domain/sagas';
import type { PaymentRecord } from './paymentRecord';
import { causeOf, refusalIn } from './steps';
import { mayHaveHappened, pauseWanted } from './turns';

/** An operator's word on a call, and why its record is refused, if it is. */
interface Said {
  readonly word: OperatorsWord;
  refusal?: ApplicationFailure;
}

/** A call to the provider that has not been answered yet. */
interface Asked {
  /** Null for what leaves nothing in doubt but what an operator sees on the card. */
  readonly call: ProviderCall | null;
  readonly what: string;
  tries: number;
  /** When the first of them failed that may have had its effect: nobody knows. */
  inDoubtSinceMs: number | undefined;
  /** The try under way, or the pause before the next. */
  attempt: CancellationScope | undefined;
  said: Said | undefined;
}

/**
 * Asks the provider again and again, and keeps what is not known meanwhile: after two tries whose outcome nobody knows,
 * and when no answer to the first is on its way any more, the payment is `unresolved`, until the provider answers or an
 * operator says what happened. News of the provider, and operators who do not want to wait, have it asked at once.
 */
export class Doubts {
  private readonly open: Asked[] = [];

  constructor(
    private readonly record: PaymentRecord,
    private readonly policies: Pick<Policies, 'providerPatienceSeconds'>,
  ) {}

  /** Whether a call has failed and is to be tried again. */
  get any(): boolean {
    return this.open.some(({ tries }) => tries > 0);
  }

  /**
   * `ask` is called with the number of tries before. It gets a cancel only as a wish not to wait for the next attempt:
   * an answer counts. An operator's word that it did not happen has `giveUp` see to that, for as long as it takes.
   * @throws what the provider refuses for good, and the workflow's own cancel
   */
  async untilAnswered<T>(
    { call, what }: Pick<Asked, 'call' | 'what'>,
    ask: (tries: number) => Promise<T>,
    giveUp?: (tries: number) => Promise<{ answer: T } | null>,
  ): Promise<T> {
    const asked: Asked = {
      ...{ call, what, tries: 0 },
      ...{ inDoubtSinceMs: undefined, attempt: undefined, said: undefined },
    };
    this.open.push(asked);
    try {
      for (;;) {
        const { said } = asked;
        const isCertain = said !== undefined && (said.word.outcome === 'happened' || !giveUp);
        const tried = isCertain
          ? { answer: null }
          : await this.tryOnce(asked, async () =>
              said && giveUp ? giveUp(asked.tries) : { answer: await ask(asked.tries) },
            );
        if (tried?.answer) return await this.answer(call, tried.answer.answer);
        const taken = tried && call && said ? await this.takeWord<T>(call, said) : undefined;
        if (taken) return taken.answer;
        if (said?.refusal && asked.said === said) asked.said = undefined;
        asked.tries += 1;
        if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
      }
    } finally {
      this.open.splice(this.open.indexOf(asked), 1);
    }
  }

  /** Has what failed tried again now. */
  tryNow(): void {
    for (const { tries, attempt } of this.open) if (tries > 0) attempt?.cancel();
  }

  /**
   * Takes an operator's word for what became of the call that is in doubt, unless the provider says it meanwhile.
   * @throws DomainError `resolve_not_possible`; ApplicationFailure where it cannot be recorded: the doubt stays
   */
  async resolve(word: OperatorsWord): Promise<void> {
    const asked = this.mustBeInDoubt(word);
    const said: Said = { word };
    asked.said = said;
    asked.attempt?.cancel();
    await condition(() => said.refusal !== undefined || !this.open.includes(asked));
    if (said.refusal) throw said.refusal;
  }

  /** @throws DomainError `resolve_not_possible` */
  mustBeInDoubt(word: OperatorsWord): Asked {
    const { unresolved } = this.record.payment;
    const asked = this.open.find(({ call }) => call !== null && call === unresolved?.call);
    if (!asked?.call) throw new DomainError('resolve_not_possible', 'Nothing of this payment is in doubt.');
    answerInDoubt(asked.call, word, this.record.payment);
    return asked;
  }

  /** The answer; nothing where it is to be asked for again. */
  private async tryOnce<T>(asked: Asked, ask: () => Promise<T>): Promise<{ answer: T } | undefined> {
    const around = CancellationScope.current();
    asked.attempt = new CancellationScope();
    try {
      return await asked.attempt.run(async () => {
        try {
          return { answer: await ask() };
        } catch (error) {
          await this.afterFailure(asked, error);
          return undefined;
        }
      });
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal && asked.call)
        await this.record.resolve(asked.call, { by: 'provider', outcome: refusal.type ?? 'refused' });
      // Without a cancel from outside this was only woken.
      if (refusal || around.consideredCancelled) throw error;
      return undefined;
    }
  }

  private async afterFailure(asked: Asked, error: unknown): Promise<void> {
    if (refusalIn(error) || isCancellation(error)) throw error;
    const cause = causeOf(error);
    this.record.operators.failed(asked.what, cause);
    if (mayHaveHappened(cause)) asked.inDoubtSinceMs ??= Date.now();
    if (asked.tries > 0 && this.isInDoubt(asked)) await this.recordDoubt(asked.call, reasonOf(cause));
    const pauseMs = pauseWanted(cause);
    if (pauseMs > 0) await sleep(pauseMs, { summary: 'the provider wants to be asked later' });
  }

  /** Who asks waits so long for an answer: until then the provider may only be slow. */
  private isInDoubt({ inDoubtSinceMs = Infinity }: Asked): boolean {
    return Date.now() - inDoubtSinceMs >= this.policies.providerPatienceSeconds * 1_000;
  }

  private async recordDoubt(call: ProviderCall | null, reason: string): Promise<void> {
    if (call === null || !mayFollow(this.record.payment, 'payment.unresolved')) return;
    await this.record.add('payment.unresolved', { call, reason });
  }

  private async answer<T>(call: ProviderCall | null, answer: T): Promise<T> {
    const refused = typeof answer === 'object' && answer !== null && 'reason' in answer;
    const outcome = refused ? String(answer.reason) : 'succeeded';
    if (call) await this.record.resolve(call, { by: 'provider', outcome });
    return answer;
  }

  /** The answer that the word makes; none where its record is refused. */
  private async takeWord<T>(call: ProviderCall, said: Said): Promise<{ answer: T } | undefined> {
    const { outcome, evidence, by } = said.word;
    const { answer, refused } = answerInDoubt(call, said.word, this.record.payment);
    try {
      await this.record.resolve(call, { by: 'operator', outcome, evidence, operatorId: by });
    } catch (error) {
      said.refusal = refusalIn(error);
      if (said.refusal === undefined) throw error;
      return undefined;
    }
    if (refused !== undefined) throw ApplicationFailure.nonRetryable('An operator has said so.', refused);
    return { answer: answer as T };
  }
}

/** In a word: facts are kept for ever, and what others' errors say may be anything. */
function reasonOf(cause: unknown): string {
  if (cause instanceof TimeoutFailure) return 'timed_out';
  return (cause instanceof ApplicationFailure && cause.type) || 'failed';
}
