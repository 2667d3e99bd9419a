import type { PaymentIntent } from './paymentIntent';
import { invalidRequest } from './stripeErrors';

interface Slice<T> {
  readonly data: T[];
  readonly has_more: boolean;
}

/** Up to `limit` (10) items after the one with the id `after`; an unknown id gives nothing. */
export function slice<T extends { readonly id: string }>(
  items: readonly T[],
  { limit = 10, after }: { limit?: number; after?: string },
): Slice<T> {
  const index = after === undefined ? -1 : items.findIndex((item) => item.id === after);
  const rest = after !== undefined && index === -1 ? [] : items.slice(index + 1);
  return { data: rest.slice(0, limit), has_more: rest.length > limit };
}

/** When, in unix seconds. */
export interface Created {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

/** A page of a list: those of `items` that came about in this time and that are meant. */
export function list<T extends { readonly id: string; readonly created: number }>(
  url: string,
  items: readonly T[],
  {
    created = {},
    limit,
    starting_after: after,
  }: { created?: Created; limit?: number; starting_after?: string },
  isMeant: (item: T) => boolean = () => true,
): { readonly object: 'list'; readonly url: string } & Slice<T> {
  const { gt = -1, gte = 0, lt = Infinity, lte = Infinity } = created;
  const isThen = ({ created: at }: T): boolean => at > gt && at >= gte && at < lt && at <= lte;
  return {
    object: 'list',
    url,
    ...slice(
      items.filter((item) => isThen(item) && isMeant(item)),
      { limit, after },
    ),
  };
}

/**
 * A predicate of Stripe's search language, of which the sandbox speaks `metadata['key']:'value'`,
 * `status:'…'` and `currency:'…'`, joined by AND (https://docs.stripe.com/search).
 * @throws StripeError 400 for anything else.
 */
export function searchPredicate(query: string): (intent: PaymentIntent) => boolean {
  const clause =
    /\s*(?:metadata\[(?:'([^']+)'|"([^"]+)")\]|(status|currency))\s*:\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*(AND\b|$)/iy;
  const tests: ((intent: PaymentIntent) => boolean)[] = [];
  for (let more = true; more;) {
    const found = clause.exec(query);
    if (found === null) {
      throw invalidRequest(
        "The sandbox searches by metadata['key']:'value', status:'…' and currency:'…', joined by AND.",
        { param: 'query' },
      );
    }
    const [, singleKey, doubleKey, field, single, double, joint] = found;
    const key = singleKey ?? doubleKey;
    const value = (single ?? double ?? '').replace(/\\(.)/g, '$1');
    tests.push((intent) =>
      key !== undefined
        ? Object.hasOwn(intent.metadata, key) && intent.metadata[key] === value
        : (field?.toLowerCase() === 'status' ? intent.status : intent.currency) === value,
    );
    more = joint !== '';
  }
  return (intent) => tests.every((test) => test(intent));
}
