import { z } from 'zod';
import {
  deadLetterSources,
  deadLettersView,
  deadLetterDeedsView,
  wholeDeadLetterView,
} from '../../contracts/api/deadLetters';
import { operations } from '../../contracts/api/operations';
import type { Client } from '../../platform/client';
import { codeOf, CodedError } from '../../platform/errors';
import type { MountOperation } from '../../platform/http';

type Source = (typeof deadLetterSources)[number];
export type DeadLetterClients = Readonly<Record<Source, Client>>;

const path = '/internal/dead-letters';
// As the processes have them: ids without their name.
const list = deadLettersView.omit({ unavailable: true }).extend({
  deadLetters: z.array(deadLettersView.shape.deadLetters.element.extend({ id: z.string() })),
});
const deeds = deadLetterDeedsView.omit({ unavailable: true }).extend({
  done: z.array(deadLetterDeedsView.shape.done.element.extend({ id: z.string() })),
});
const whole = wholeDeadLetterView.extend({ id: z.string() });

/** Each process keeps its own dead letters and is asked for them; one that does not answer is said to be unavailable. */
export function deadLetterRoutes(mount: MountOperation, clients: DeadLetterClients): void {
  mount(operations.listDeadLetters, async ({ query, signal }) => {
    const { consumer, ...asFor } = query;
    const asked = await ask(sourcesOf(consumer), (source) =>
      clients[source].call('GET', path, { query: asFor, response: list, signal }),
    );
    const found = asked.answers.flatMap(({ source, answer }) =>
      answer.deadLetters.map((letter) => ({ ...letter, id: `${source}:${letter.id}` })),
    );
    found.sort((a, b) => (a.deadSince < b.deadSince ? -1 : a.deadSince > b.deadSince ? 1 : 0));
    const more = found.length > query.limit || asked.answers.some(({ answer }) => answer.more);
    return {
      status: 200,
      body: { deadLetters: found.slice(0, query.limit), more, unavailable: asked.unavailable },
    };
  });

  mount(operations.showDeadLetter, async ({ params, signal }) => {
    const [source, id] = splitId(params.deadLetterId);
    if (source === undefined)
      throw new CodedError('dead_letter_not_found', 'There is no dead letter with this id.');
    const letter = await clients[source].call('GET', `${path}/${encodeURIComponent(id)}`, {
      response: whole,
      signal,
    });
    return { status: 200, body: { ...letter, id: params.deadLetterId } };
  });

  /**
   * Asks those who are meant, each for its own ids: first which letters it would be, so that all together take no more than
   * the limit, one process after another; then for the deed on these.
   */
  const deed = async (
    what: 'replay' | 'discard',
    body: z.output<(typeof operations)['replayDeadLetters']['request']['body']>,
    word: object,
    signal: AbortSignal,
  ) => {
    const ids = body.ids?.map(splitId);
    const { consumer, all: _, ...asFor } = body;
    const call = (source: Source, which: object) =>
      clients[source].call('POST', `${path}/${what}`, {
        body: { ...asFor, ...word, ...which },
        ...{ response: deeds, signal },
      });
    const sources = sourcesOf(consumer).filter((name) => ids?.some(([source]) => source === name) ?? true);
    const found = await ask(sources, (source) => {
      const own = ids?.filter(([of]) => of === source).map(([, id]) => id);
      return call(source, { ...(own && { ids: own }), dryRun: true });
    });
    let room = body.limit;
    let more = found.answers.some(({ answer }) => answer.more);
    const meant = new Map<Source, (typeof found.answers)[number]['answer']>();
    for (const source of sources) {
      const would = found.answers.find((one) => one.source === source)?.answer;
      if (would === undefined) continue;
      const done = would.done.slice(0, room);
      more ||= done.length < would.done.length;
      room -= done.length;
      if (done.length > 0) meant.set(source, { ...would, done });
    }
    const asked = await ask([...meant.keys()], async (source) => {
      const would = meant.get(source)!;
      return body.dryRun ? would : call(source, { ids: would.done.map(({ id }) => id), dryRun: false });
    });
    return {
      status: 200,
      body: {
        done: asked.answers.flatMap(({ source, answer }) =>
          answer.done.map((one) => ({ ...one, id: `${source}:${one.id}` })),
        ),
        left: asked.answers.reduce((sum, { answer }) => sum + answer.left, 0),
        more,
        unavailable: [...found.unavailable, ...asked.unavailable],
      },
    };
  };
  mount(operations.replayDeadLetters, ({ body, signal }) => deed('replay', body, {}, signal));
  mount(operations.discardDeadLetters, ({ body, caller, signal }) =>
    deed('discard', body, { by: caller.sub }, signal),
  );
}

const sourcesOf = (consumer: string | undefined): readonly Source[] =>
  deadLetterSources.filter((source) => consumer === undefined || source === consumer);

/** `analytics:rides:3:17` is `rides:3:17` of analytics; no source where it is of nobody. */
function splitId(id: string): [Source | undefined, string] {
  const colon = id.indexOf(':');
  const name = id.slice(0, colon);
  return [deadLetterSources.find((source) => source === name), id.slice(colon + 1)];
}

/** Asks all at once; a refusal of one goes to who asked, an absence is said beside the others' answers. */
async function ask<T>(sources: readonly Source[], call: (source: Source) => Promise<T>) {
  const answers: { source: Source; answer: T }[] = [];
  const unavailable: { consumer: string; reason: string }[] = [];
  await Promise.all(
    sources.map(async (source) => {
      try {
        answers.push({ source, answer: await call(source) });
      } catch (error) {
        if (codeOf(error) !== 'dependency_unavailable') throw error;
        unavailable.push({ consumer: source, reason: (error as Error).message });
      }
    }),
  );
  return { answers, unavailable };
}
