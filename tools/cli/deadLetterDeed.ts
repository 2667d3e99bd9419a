import {
  deadLetterDeedsView,
  deadLettersView,
  type DeadLetterDeedsView,
} from '../../contracts/api/deadLetters';
import { getFromApi, postToApi, type OperatorSources } from './operatorApi';

type Api = Pick<OperatorSources, 'apiUrl' | 'token'>;
export type Deed = DeadLetterDeedsView['done'][number];
type Absent = DeadLetterDeedsView['unavailable'][number];

export interface DeedOrder {
  readonly what: 'replay' | 'discard';
  /** Which are meant; none: all that the filter means. */
  readonly ids: readonly string[];
  readonly filter: Readonly<Record<string, string | undefined>>;
  /** How many the filter means at most. */
  readonly limit: number;
  readonly dryRun: boolean;
  /** Why they may be lost, where they are discarded. */
  readonly because?: string | undefined;
}

export interface DeedOutcome {
  readonly done: readonly Deed[];
  /** Meant, too, and not come to. */
  readonly left: number;
  /** There are more than the limit. */
  readonly more: boolean;
  readonly unavailable: readonly Absent[];
  /** Ids that were asked for, and are of no dead letter. */
  readonly unknown: readonly string[];
  /** Whether all that was meant is done with. */
  readonly isWell: boolean;
}

/**
 * Replays or discards dead letters, in as many requests as it takes: each has a bounded time. Which are meant is settled
 * once, so a letter that comes up behind another is never taken for one of them; the key of one that is under way is
 * replayed from there, whatever was done to its head.
 * @param onDeed told of each when it is done
 */
export async function doDeed(
  sources: Api,
  order: DeedOrder,
  onDeed: (deed: Deed) => void,
): Promise<DeedOutcome> {
  const { what, filter, dryRun, because } = order;
  const done: Deed[] = [];
  const absent = new Map<string, Absent>();
  const find = async (query: Readonly<Record<string, string | undefined>>) => {
    const found = await getFromApi(sources, '/v1/ops/dead-letters', query, deadLettersView);
    for (const one of found.unavailable) absent.set(one.consumer, one);
    return { ids: found.deadLetters.map(({ id }) => id), more: found.more };
  };
  const post = async (name: DeedOrder['what'], body: object): Promise<DeadLetterDeedsView> => {
    const answer = await postToApi(sources, `/v1/ops/dead-letters/${name}`, body, deadLetterDeedsView);
    answer.done.forEach(onDeed);
    done.push(...answer.done);
    for (const one of answer.unavailable) absent.set(one.consumer, one);
    return answer;
  };
  /** Goes on with the key of a letter for as long as that leads on. @returns whether nothing of it is dead any more */
  const carryOn = async (last: Deed): Promise<boolean> => {
    if (last.outcome !== 'under_way') return last.outcome !== 'failed';
    const { ids: heads } = await find({ consumer: consumerOf(last.id), key: last.key, limit: '1000' });
    const head = heads.find((id) => laneOf(id) === laneOf(last.id));
    if (head === undefined) return !absent.has(consumerOf(last.id));
    const [next] = (await post('replay', { ids: [head], limit: 1 })).done;
    // Nothing came of it, as where no relay runs: who asks again asks later.
    if (next === undefined || (next.id === last.id && next.applied === 0)) return false;
    return carryOn(next);
  };

  const isNamed = order.ids.length > 0;
  const meant = isNamed
    ? { ids: order.ids, more: false }
    : await find({ ...filter, limit: String(order.limit) });
  let rest = meant.ids;
  let left = 0;
  while (rest.length > 0) {
    const answer = await post(what, { ...filter, because, ids: rest, limit: rest.length, dryRun });
    left = answer.left;
    rest = rest.filter((id) => !answer.done.some((one) => one.id === id));
    if (left === 0 || answer.done.length === 0) break;
  }
  const unknown = isNamed && left === 0 ? rest.filter((id) => !absent.has(consumerOf(id))) : [];
  const { more } = meant;
  let isWell = left === 0 && !more && unknown.length === 0;
  for (const one of [...done]) isWell = (await carryOn(one)) && isWell;
  const unavailable = [...absent.values()];
  return { done, left, more, unavailable, unknown, isWell: isWell && absent.size === 0 };
}

const consumerOf = (id: string): string => id.slice(0, id.indexOf(':'));

/** What the ids of a key's heads have in common: `analytics:rides` of `analytics:rides:3:17`, `relay:trips:rides` of the relay's. */
const laneOf = (id: string): string => id.replace(consumerOf(id) === 'relay' ? /:\d+$/ : /:\d+:-?\d+$/, '');
