import type { Pool } from 'pg';
import { withoutSubject } from '../../contracts/personal';
import { rewriteFacts } from '../../platform/personal/steps';
import { withTransaction } from '../../platform/postgres';

/** Quotes that are changed in one transaction. */
const AT_ONCE = 500;

/** Blots a person's places out of their quotes, and out of what steps remember of these. Safe to repeat. */
export async function blotQuotes(pool: Pool, subject: string): Promise<void> {
  for (let after: string | null = null; ;) {
    const last: string | null = await withTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ quoteId: string; quote: object }>(
        `select quote_id as "quoteId", quote from quotes
         where rider_id = $1 and ($2::uuid is null or quote_id > $2) order by quote_id limit ${AT_ONCE} for update`,
        [subject, after],
      );
      const quotes = rows.map(({ quote }) => withoutSubject('quote.issued', quote, subject));
      await tx.query(
        `update quotes set quote = now.quote from unnest($1::uuid[], $2::jsonb[]) as now (quote_id, quote)
         where quotes.quote_id = now.quote_id`,
        [rows.map(({ quoteId }) => quoteId), quotes.map((quote) => JSON.stringify(quote))],
      );
      await rewriteFacts(
        tx,
        rows.map(({ quoteId }) => quoteId),
        ({ type, data }) => withoutSubject(type, data, subject),
      );
      return rows.length < AT_ONCE ? null : rows.at(-1)!.quoteId;
    });
    if (last === null) return;
    after = last;
  }
}
