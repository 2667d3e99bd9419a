import { z } from 'zod';
import {
  checkNames,
  type DriftKind,
  type ReconciliationFactData,
  type ReconciliationFactType,
} from '../../domain/reconciliation';
import { currency, time, uuid } from '../shared';

const driftKind = z
  .string()
  .describe('which two do not agree, and how; more may come') as unknown as z.ZodType<DriftKind>;
const driftIds = z.record(z.string(), z.string()).describe('what it is about, each by its name');

/** One schema per fact of a run of the reconciliation, held to the domain's type. */
export const reconciliationFacts = {
  'reconciliation.started': z
    .object({ runId: uuid, since: time, repairs: z.boolean() })
    .describe('A comparison of workflows, database, ledger, provider and Kafka begins.'),
  'reconciliation.drift_found': z
    .object({
      kind: driftKind,
      ids: driftIds,
      byMinor: z.int().optional().describe('by how much, in minor units of the currency'),
      currency: currency.optional(),
      says: z.string(),
      cause: z.string().optional(),
      action: z.string().describe('what repairs it'),
      safe: z.boolean().describe('whether the house may repair it by itself'),
    })
    .describe('Two of them do not agree.'),
  'reconciliation.drift_ended': z
    .object({
      kind: driftKind,
      ids: driftIds,
      since: time.describe('when it was found first'),
      repaired: z.boolean().describe('by what this run has done'),
    })
    .describe('Two that did not agree do so again.'),
  'reconciliation.finished': z
    .object({
      found: z.int().min(0).describe('those that had been told before, too'),
      repaired: z.int().min(0),
      left: z.record(z.string(), z.int()).describe('how many of each kind are left'),
      unseen: z.array(z.enum(checkNames)).describe('what could not be looked at'),
    })
    .describe('The comparison is over.'),
} satisfies { [T in ReconciliationFactType]: z.ZodType<ReconciliationFactData[T]> };
