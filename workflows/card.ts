import { setCurrentDetails } from '@temporalio/workflow';
import { now } from './now';

/** Where a workflow is when all goes well, and what an operator may do. */
export interface Place {
  /** In a word or two. */
  readonly where: string;
  readonly version: number;
  /** ISO 8601 in UTC. */
  readonly since: string;
  /** As it follows on "waits for". */
  readonly waitsFor: string;
  /** Whom and what it is about. */
  readonly about: string;
  readonly next: string;
}

/** A saga that cannot go on by itself. */
export interface Parked {
  /** What it could not do. */
  readonly what: string;
  readonly reason: string;
  readonly next: string;
}

/**
 * What an operator reads of a workflow in Temporal's web UI, under "User Metadata": where it is, since when, what it
 * waits for, what failed last and what to do next. It is Markdown, and no event of the history.
 */
export class Card {
  private lastFailure = 'none';
  private parked: (Parked & { readonly since: string }) | null = null;

  get isParked(): boolean {
    return this.parked !== null;
  }

  /** Something did not succeed at once and is tried again. */
  failed(what: string, error: unknown): void {
    this.lastFailure = `${now()}, ${what}: ${quoted(error)}`;
  }

  /** Nothing goes on before an operator has spoken; null when that has happened. */
  park(parked: Parked | null): void {
    if (parked !== null) this.failed(parked.what, parked.reason);
    this.parked = parked && { ...parked, since: now() };
  }

  show(place: Place): void {
    const { parked } = this;
    const where = parked === null ? place.where : `Parked: could not ${parked.what}`;
    const lines = [
      `**${where}** (version ${place.version}), since ${parked?.since ?? place.since}`,
      // Without an empty line the UI makes one paragraph of all.
      '',
      `- waits for: ${parked === null ? place.waitsFor : 'an operator'}`,
      `- last failure: ${this.lastFailure}`,
      `- next action: ${parked?.next ?? place.next}`,
      `- ${parked === null ? '' : `${place.where}; `}${place.about}`,
    ];
    setCurrentDetails(lines.join('\n'));
  }
}

const MOST_CHARACTERS = 400;

/** A timeout has what failed in the meantime as its cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${wordsOf(error.cause)}` : error.message;
}

/** The words of a failure as code: whatever they are, they are no markup. */
function quoted(error: unknown): string {
  const line = wordsOf(error).replace(/\s+/g, ' ').replaceAll('`', "'").trim().slice(0, MOST_CHARACTERS);
  return line === '' ? 'no reason given' : `\`${line}\``;
}
