import { z } from 'zod';
import { freeText, time } from '../shared';
import type { Operation } from './operation';

/** Who may have dead letters; the relay's are facts that Kafka refuses. */
export const deadLetterSources = [
  ...(['analytics', 'audit', 'notifications', 'pricing', 'relay', 'tracks'] as const),
] as const;

const sources = deadLetterSources.join('|');
const consumer = z.string().regex(new RegExp(`^(${sources})$`), `one of ${deadLetterSources.join(', ')}`);
const id = z
  .string()
  .max(400)
  .regex(new RegExp(`^(${sources}):[A-Za-z0-9._:-]+$`), 'the id of a dead letter');
const word = z.string().max(400).regex(/^\S+$/, 'one word');

const filter = z.strictObject({
  consumer: consumer.optional(),
  topic: word.optional(),
  key: word.optional().describe("the aggregate's id"),
  type: word.optional().describe('of the fact'),
  reason: freeText(400).optional(),
  since: time.optional().describe('dead since then'),
});

const deadLetterView = z.strictObject({
  id,
  consumer: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  key: z.string(),
  factId: z.string().nullable(),
  type: z.string().nullable(),
  sequence: z.int().nullable(),
  reason: z.string(),
  attempts: z.int(),
  deadSince: time,
  waiting: z.int().describe('facts of its key that wait behind it'),
});

const unavailable = z
  .array(z.strictObject({ consumer: z.string(), reason: z.string() }))
  .describe('who could not be asked: their dead letters are not here');

/** A deed on letters: those with these ids, or all that the filter means; without either it has to say so. */
const order = z.strictObject({
  ...filter.shape,
  ids: z.array(id).min(1).max(1_000).optional(),
  all: z.literal(true).optional().describe('all there are: where neither ids nor a filter say which'),
  limit: z.int().min(1).max(1_000).default(100),
  dryRun: z.boolean().default(false).describe('only say which would be meant'),
});

const deedsView = z.strictObject({
  done: z.array(
    z.strictObject({
      id,
      key: z.string(),
      outcome: z
        .enum(['replayed', 'discarded', 'failed', 'under_way', 'would_be'])
        .describe(
          '`failed`: it is dead still, with the new reason; `under_way`: replay what its key is dead at now',
        ),
      applied: z.int().describe('facts of the key that had their effect by this'),
      reason: z.string().nullable(),
    }),
  ),
  left: z
    .int()
    .describe('meant, too, and not come to in time: ask again by ids, as a filter may mean others by now'),
  more: z.boolean().describe('there are more than `limit`'),
  unavailable,
});

const deadLettersQuery = z.strictObject({
  ...filter.shape,
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export const deadLettersView = z.strictObject({
  deadLetters: z.array(deadLetterView),
  more: z.boolean().describe('there are more than `limit`'),
  unavailable,
});
export const wholeDeadLetterView = z.strictObject({
  ...deadLetterView.shape,
  stack: z.string().nullable(),
  headers: z.record(z.string(), z.array(z.string())),
  value: z.string().nullable().describe('as it came; bytes that are no text are `base64:…`'),
  behind: z
    .array(z.strictObject({ factId: z.string().nullable(), offset: z.int() }))
    .describe('the first 100 that wait, in their order'),
});
type Named = z.output<typeof filter> & { readonly ids?: unknown; readonly all?: true | undefined };
const saysWhich = ({ consumer, topic, key, type, reason, since, ids, all }: Named): boolean =>
  [consumer, topic, key, type, reason, since, ids].some((word) => word !== undefined) !== (all === true);
const which = { message: 'takes ids, or a filter, or all' };
const replayBody = order.refine(saysWhich, which);
const discardBody = z
  .strictObject({
    ...order.shape,
    because: freeText(500).describe('free text: why these may be lost; no card numbers'),
  })
  .refine(saysWhich, which)
  .refine(({ ids, dryRun }) => ids !== undefined || dryRun, {
    message: 'takes ids: a filter may mean others when it is repeated; with dryRun it says which it means',
  });
export const deadLetterDeedsView = deedsView;

/** Facts that a consumer could not apply, and what operators do with them. */
export const deadLetterOperations = {
  listDeadLetters: {
    method: 'get',
    path: '/v1/ops/dead-letters',
    summary: 'Facts that could not be taken further, and for which those behind them wait, the oldest first',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: deadLettersQuery },
    response: { status: 200, description: 'At most `limit`', body: deadLettersView },
    problems: [],
  },
  showDeadLetter: {
    method: 'get',
    path: '/v1/ops/dead-letters/{deadLetterId}',
    summary: 'All that is kept of a dead letter: bytes, headers, stack, and what waits behind it',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { params: z.strictObject({ deadLetterId: z.string().min(1).max(400) }) },
    response: { status: 200, description: 'The dead letter', body: wholeDeadLetterView },
    problems: ['dead_letter_not_found'],
  },
  replayDeadLetters: {
    method: 'post',
    path: '/v1/ops/dead-letters/replay',
    summary: 'Try dead letters again, and what waits behind each, in the order of its key',
    tag: 'ops',
    roles: ['operator'],
    request: { body: replayBody },
    response: { status: 200, description: 'What became of each; safe to repeat', body: deadLetterDeedsView },
    problems: [],
  },
  discardDeadLetters: {
    method: 'post',
    path: '/v1/ops/dead-letters/discard',
    summary: 'Give dead letters up for good, by their ids: what waits behind each goes on without it',
    tag: 'ops',
    roles: ['operator'],
    request: { body: discardBody },
    response: { status: 200, description: 'What became of each; safe to repeat', body: deadLetterDeedsView },
    problems: [],
  },
} as const satisfies Record<string, Operation>;

export type DeadLettersView = z.infer<typeof deadLettersView>;
export type WholeDeadLetterView = z.infer<typeof wholeDeadLetterView>;
export type DeadLetterDeedsView = z.infer<typeof deadLetterDeedsView>;
