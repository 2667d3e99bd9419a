import { ApplicationFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../domain/errors';

/**
 * Lets at most so many Updates that may take long be handled at once: a workflow takes ten, and a cancel, or who ends
 * what the others wait for, is to find room.
 */
export class AtMost {
  private underWay = 0;

  constructor(
    private readonly most: number,
    private readonly code: ErrorCode,
    private readonly message: string,
  ) {}

  /** For a validator: what it refuses leaves nothing in the history. */
  readonly refuseMore = (): void => {
    if (this.underWay >= this.most) throw ApplicationFailure.nonRetryable(this.message, this.code);
  };

  async during<T>(handle: () => Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await handle();
    } finally {
      this.underWay -= 1;
    }
  }
}

/** Changes of a ride's fare that may have to wait until its hold is raised. */
export const fareChanges = (): AtMost =>
  new AtMost(1, 'fare_change_under_way', 'Another change of the fare is under way.');

/** What is asked of a payment and may have to wait for the provider. */
export const paymentChanges = (most: number): AtMost =>
  new AtMost(most, 'payment_busy', 'What was asked of this payment before is under way.');
