import { codeOf } from '../errors';
import type { ConsumedBatch, RawRecord } from '../kafka/consumer';
import { keptOffsets } from '../kafka/read';
import { isRetriable } from '../postgres';
import { factFields } from '../telemetry';
import { backoffMs, wait } from '../wait';
import { applyRecords, FactHeld, type Applied } from './apply';
import { publishDead } from './deadLetter';
import type { SettlerOptions } from './options';
import type { Slots } from './slots';

/** Tries of a whole batch before the fact is looked for that it fails of. */
const triesTogether = 3;
/** So long without a way forward is said as an error at each try. */
const alarmAfterMs = 10_000;
const backoff = { minMs: 50, maxMs: 5_000 };

/** The stored position is before the records: they are read again from there. */
class BeginsBeyond extends Error {
  override readonly name = 'BeginsBeyond';
  readonly retriable = false;

  constructor(readonly position: number) {
    super(`the records begin beyond the stored position ${position}`);
  }
}

/** By what the batch knows of the log, the stored position lies outside of it: Kafka is asked. */
class OutsideOfBatch extends Error {
  override readonly name = 'OutsideOfBatch';

  constructor(readonly position: number) {
    super(`the stored position ${position} is not where the records are`);
  }
}

/** What Kafka said of a partition when a position was in doubt. */
interface Kept {
  readonly position: number;
  readonly begin: number;
  readonly end: number;
}

/** Takes the records of one partition into the database, until they are in it, or not ours any more. */
export class Settler {
  constructor(
    private readonly options: SettlerOptions,
    private readonly slots: Slots,
    private readonly maxTries: number,
  ) {}

  /** @returns whether the next records may follow */
  async settle(batch: ConsumedBatch, records: readonly RawRecord[]): Promise<boolean> {
    const tries = new Map<number, number>();
    let rest = records;
    let apart = false;
    let failures = 0;
    let since = 0;
    while (rest.length > 0) {
      if (!batch.isLive()) return false;
      // A fact that has failed is tried by itself, and what is behind it only once it is through.
      const suspect = tries.has(rest[0]!.offset);
      const part = suspect ? rest.slice(0, 1) : rest;
      try {
        await this.apply(batch, part, apart || suspect, tries);
        rest = rest.slice(part.length);
        [apart, failures, since] = [false, 0, 0];
        continue;
      } catch (error) {
        if (error instanceof BeginsBeyond) return this.readAgain(batch, error.position);
        if (!isRetriable(error) && !apart && !suspect) {
          this.options.log.warn(
            { err: error, ...partitionOf(batch), records: part.length },
            'batch failed, looking for the fact',
          );
          apart = true;
          continue;
        }
        failures += 1;
        since ||= Date.now();
        let again = failures;
        if (error instanceof FactHeld) {
          again = (tries.get(error.offset) ?? 0) + 1;
          tries.set(error.offset, again);
          const before = rest.findIndex(({ offset }) => offset === error.offset);
          if (before > 0) {
            // Those before it had no part in this: they go ahead, and it is the first then.
            await this.settle(batch, rest.slice(0, before));
            rest = rest.slice(before);
          }
        } else apart = failures >= triesTogether;
        await this.hold(batch, error, again, since);
      }
    }
    return batch.isLive();
  }

  private async apply(
    batch: ConsumedBatch,
    records: readonly RawRecord[],
    apart: boolean,
    tries: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { options } = this;
    const { topic, partition, endOffset } = batch;
    const source = { group: options.group, topic, partition };
    const applyWith = (kept: Kept | null): Promise<Applied> =>
      applyRecords({
        ...{ pool: options.pool, source, records, handle: options.handle, skip: options.skip, apart },
        ...{ endOffset: kept?.end ?? endOffset, maxTries: this.maxTries },
        triesOf: (offset) => tries.get(offset) ?? 0,
        checkPosition: (position) => checkPosition(batch, position, kept),
        deadLetter: (dead) => publishDead(dead, options),
      });
    const work = async (): Promise<Applied> => {
      for (let kept: Kept | null = null; ;) {
        try {
          return await applyWith(kept);
        } catch (error) {
          if (!(error instanceof OutsideOfBatch)) throw error;
          kept = { position: error.position, ...(await this.askKafka(batch)) };
        }
      }
    };
    const seen = { topic, partition, records, endOffset };
    const applied = await this.slots.take(() => options.observer?.during(seen, work) ?? work());
    for (const { reason, factId, key, record, attempts } of applied.parked) {
      const said = { ...source, ...factFields(record), offset: record.offset, factId, key };
      if (reason === null) options.log.debug(said, 'fact waits behind a parked one');
      else options.log.error({ ...said, reason, attempts }, 'fact dead-lettered, key parked');
    }
    options.observer?.settled(seen, outcomeOf(applied));
    options.onApplied?.(applied);
    await batch.commit(records.at(-1)!.offset + 1);
  }

  private async askKafka(batch: ConsumedBatch): Promise<{ begin: number; end: number }> {
    try {
      return await keptOffsets(this.options.kafka, batch);
    } catch (error) {
      throw Object.assign(new Error('Kafka does not say what it keeps', { cause: error }), {
        retriable: true,
      });
    }
  }

  private readAgain(batch: ConsumedBatch, position: number): false {
    this.options.log.warn(
      { ...partitionOf(batch), position },
      'partition is read again from its stored position',
    );
    batch.readFrom(position);
    return false;
  }

  /** Waits before the next try, and says so: loudly, once it has lasted. */
  private async hold(batch: ConsumedBatch, error: unknown, tries: number, since: number): Promise<void> {
    const { log, observer, signal } = this.options;
    const heldMs = Date.now() - since;
    const againInMs = backoffMs(tries, backoff);
    log[heldMs > alarmAfterMs ? 'error' : 'warn'](
      { err: error, ...partitionOf(batch), tries, heldMs, againInMs },
      'facts not applied, trying again',
    );
    const cause = error instanceof FactHeld ? error.cause : error;
    observer?.failed(batch, codeOf(cause) ?? (cause instanceof Error ? cause.name : 'unknown'));
    await wait(againInMs, signal);
  }
}

/**
 * The database says how far it is; Kafka's offset is a hint, and may be of another database than this one. A position
 * beyond the log's end is of a topic that has been made anew since; one before its begin, of records that are gone. A
 * batch may be older than what it is held against, so neither is believed of it alone.
 */
function checkPosition(batch: ConsumedBatch, position: number, kept: Kept | null): void {
  if (batch.fetchedFrom <= position && position <= batch.endOffset) return;
  // Another member may have moved it since Kafka was asked.
  if (kept?.position !== position) throw new OutsideOfBatch(position);
  if (position <= kept.end && batch.fetchedFrom > Math.max(position, kept.begin))
    throw new BeginsBeyond(position);
}

const partitionOf = ({ topic, partition }: ConsumedBatch) => ({ topic, partition });

function outcomeOf({ applied, duplicates, skipped, parked }: Applied) {
  const dead = parked.filter(({ reason }) => reason !== null);
  return {
    ...{ applied, duplicates, skipped, waiting: parked.length - dead.length },
    dead: dead.map(({ reason }) => /^(\w+): /.exec(reason!)?.[1] ?? 'error'),
  };
}
