import { z } from 'zod';
import { subjectId, time } from '../shared';
import type { Operation } from './operation';

const erasureBlocker = z.strictObject({
  kind: z.enum(['ride', 'shift', 'payment', 'debt', 'dispute', 'payout']),
  id: z.string(),
});

export const erasureView = z.strictObject({
  subjectId,
  erasedAt: time.nullable().describe('since when the key is gone; null where nothing was erased'),
  rides: z.int().describe('rides that the person took, drove or was offered'),
  blockers: z.array(erasureBlocker).describe('what is under way, and would have an erasure refused'),
});

export type ErasureBlocker = z.infer<typeof erasureBlocker>;
export type ErasureView = z.infer<typeof erasureView>;

export const erasureOperations = {
  eraseSubject: {
    method: 'post',
    path: '/v1/ops/subjects/{subjectId}/erase',
    summary: 'Erase a person: their key is deleted, and what is kept in plain is blotted out; safe to repeat',
    tag: 'ops',
    roles: ['operator'],
    request: {
      params: z.strictObject({ subjectId }),
      body: z.strictObject({
        dryRun: z.boolean().default(false).describe('only say what would be in the way'),
      }),
    },
    response: { status: 200, description: 'What was, or would be, erased', body: erasureView },
    problems: ['erasure_not_possible'],
  },
} as const satisfies Record<string, Operation>;
