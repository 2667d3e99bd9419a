export interface ProblemPage {
  readonly status: number;
  readonly title: string;
  /** The text of the page at `/problems/<code>`: what it means and what to do. */
  readonly description: string;
  readonly retryAfterSeconds?: number;
}

/** A problem without anything special. */
export const page = (status: number, title: string, description: string): ProblemPage => ({
  status,
  title,
  description,
});
