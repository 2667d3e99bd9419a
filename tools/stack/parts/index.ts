import { chromiumSource } from './chromium';
import { kafkaSource, type KafkaPart } from './kafka';
import { examinePart, PartMissing, takePart, type Examination, type PartSource, type Search } from './part';
import { postgresSource, type PostgresPart } from './postgres';
import { stripeMockSource } from './stripeMock';
import { temporalSource, type TemporalPart } from './temporal';
import { testServerSource } from './testServer';

export { PartMissing, type KafkaPart, type PostgresPart, type Search, type TemporalPart };

/** What the servers are made of. */
export interface Parts {
  readonly postgres: PostgresPart;
  readonly kafka: KafkaPart;
  readonly temporal: TemporalPart;
}

/** @throws PartMissing with a word on each part that cannot be had */
export function takeParts(search: Search): Promise<Parts> {
  return takeAll({
    postgres: takePart(postgresSource(search), search),
    kafka: takePart(kafkaSource(search), search),
    temporal: takePart(temporalSource(search), search),
  });
}

/** What tests take beside the servers. */
export interface TestParts {
  readonly parts: Parts;
  /** The path of the time-skipping test server. */
  readonly testServer: string;
  /** The path of a browser. */
  readonly chromium: string;
  /** The folder of Stripe's mock of its API. */
  readonly stripeMock: string;
}

/** @throws PartMissing */
export async function takeTestParts(search: Search): Promise<TestParts> {
  return takeAll({
    parts: takeParts(search),
    testServer: takePart(testServerSource(search), search),
    chromium: takePart(chromiumSource(search), search),
    stripeMock: takePart(stripeMockSource(search), search),
  });
}

/** Whether a start, and the tests, would have each part; nothing is installed. */
export function examineParts(search: Search): Promise<(Examination & { part: string })[]> {
  const sources: PartSource<unknown>[] = [
    postgresSource(search),
    kafkaSource(search),
    temporalSource(search),
    testServerSource(search),
    chromiumSource(search),
    stripeMockSource(search),
  ];
  return Promise.all(sources.map(async (source) => ({ part: source.part, ...(await examinePart(source)) })));
}

/** Waits for all, so that one message tells everything that is missing. */
async function takeAll<T extends object>(wanted: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const names = Object.keys(wanted) as (keyof T)[];
  const outcomes = await Promise.allSettled(names.map((name) => wanted[name]));
  const reasons = outcomes.flatMap((o): unknown[] => (o.status === 'rejected' ? [o.reason] : []));
  const other = reasons.find((reason) => !(reason instanceof PartMissing));
  if (other !== undefined) throw other as Error;
  const missing = reasons as PartMissing[];
  if (missing.length > 0) throw new PartMissing(missing.map(({ message }) => message).join('\n'));
  return Object.fromEntries(
    outcomes.map((outcome, i) => [names[i], outcome.status === 'fulfilled' ? outcome.value : undefined]),
  ) as T;
}
