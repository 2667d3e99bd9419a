import { ApplicationFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../domain/errors';

/**
 * Lets Updates that may take long be handled one at a time: a workflow takes ten at once, and a cancel is to find room.
 */
export class OneAtATime {
  private underWay = 0;

  constructor(
    private readonly code: ErrorCode,
    private readonly message: string,
  ) {}

  /** For a validator: what it refuses leaves nothing in the history. */
  readonly refuseAnother = (): void => {
    if (this.underWay > 0) throw ApplicationFailure.nonRetryable(this.message, this.code);
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
export const fareChanges = (): OneAtATime =>
  new OneAtATime('fare_change_under_way', 'Another change of the fare is under way.');
