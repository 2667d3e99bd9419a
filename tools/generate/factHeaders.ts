import { z } from 'zod';
import { jsonSchema } from '../../contracts/jsonSchema';

/** The headers of a fact on Kafka, as JSON Schema: CloudEvents' attributes in binary mode, and the trace. */
export const factHeaders = jsonSchema(
  z.object({
    'content-type': z.literal('application/json'),
    ce_specversion: z.literal('1.0'),
    ce_id: z.string().describe('`<type>/<aggregate id>/<version>`: the same however often it is sent'),
    ce_source: z.string().describe('`/hailway/<owner>`'),
    ce_type: z.string(),
    ce_dataschema: z.string().describe('`<type>.v<schema version>`'),
    ce_time: z.iso.datetime().describe("when it happened, by the domain's clock"),
    ce_subject: z.string().describe("the aggregate's id"),
    ce_sequence: z
      .string()
      .regex(/^[1-9][0-9]*$/)
      .describe("the aggregate's version: 1, 2, 3, … for a key"),
    ce_correlationid: z.string(),
    ce_causationid: z.string().describe('the step or fact that caused it'),
    ce_caller: z
      .string()
      .optional()
      .describe('who asked for it, `<role>:<subject>`; missing where the house came to it by itself'),
    traceparent: z.string().optional().describe('W3C trace context'),
  }),
  'input',
  'draft-7',
);
