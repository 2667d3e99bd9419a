import { kafkaApi } from './kafkaDoor';
import type { Sign } from './doors';
import { deadLetterTopic, type Site } from './site';

/** At which a process is hit, by who it is. */
const pointsOf = {
  relay: ['claimed', 'storedUnheard', 'ackedUnmarked'],
  consumer: ['beforeTransaction', 'committedUntold', 'revoked', 'letterStored'],
  replay: ['rebuilding', 'switching'],
} as const;
export type Victim = keyof typeof pointsOf;
export type Point = (typeof pointsOf)[Victim][number];

/** What it is hit by: SIGKILL, SIGSTOP for longer than each lease, or its connection's end. */
export const ways = ['kill', 'stop', 'cut'] as const;
export type Way = (typeof ways)[number];

/** One point at which a process is hit in one way; every one has to be met, and to end well. */
export interface Cell {
  readonly victim: Victim;
  readonly point: Point;
  readonly way: Way;
}

export const cells: readonly Cell[] = (Object.keys(pointsOf) as Victim[]).flatMap((victim) =>
  pointsOf[victim].flatMap((point) => ways.map((way) => ({ victim, point, way }))),
);

const pointInWords: Readonly<Record<Point, string>> = {
  claimed: 'its lanes taken, nothing read',
  storedUnheard: 'facts stored, the acknowledgement not heard',
  ackedUnmarked: 'facts acknowledged, the position not moved',
  beforeTransaction: 'before the transaction',
  committedUntold: 'effects committed, the offset not',
  revoked: 'its partitions revoked in mid-batch',
  letterStored: 'a dead letter stored, the offset not',
  rebuilding: 'in the middle of the facts',
  switching: 'at the switch',
};
const wayInWords: Readonly<Record<Way, string>> = {
  kill: 'killed',
  stop: 'stopped for longer than its lease',
  cut: 'cut off',
};

/** `relay killed: its lanes taken, nothing read` */
export const inWords = ({ victim, point, way }: Cell): string =>
  `${victim} ${wayInWords[way]}: ${pointInWords[point]}`;

/** At which door a point is met, and by which sign. */
export function signOf(point: Point, site: Site): { readonly at: 'postgres' | 'kafka'; readonly sign: Sign } {
  const statement = (text: string) => ({ at: 'postgres' as const, sign: { of: 'request' as const, text } });
  const kafka = (of: Sign['of'], api: number, text: string) => ({
    at: 'kafka' as const,
    sign: { of, api, text },
  });
  switch (point) {
    case 'claimed':
      return statement('relay-read-facts');
    case 'storedUnheard':
      return kafka('answer', kafkaApi.produce, site.topic);
    case 'ackedUnmarked':
      return statement('relay-move-position');
    case 'beforeTransaction':
      return statement('begin isolation level');
    case 'committedUntold':
      return kafka('request', kafkaApi.offsetCommit, site.group);
    case 'revoked':
      return statement('things-effects');
    case 'letterStored':
      return kafka('answer', kafkaApi.produce, deadLetterTopic(site));
    case 'rebuilding':
      return statement('inbox-move');
    case 'switching':
      return statement('set schema');
  }
}
