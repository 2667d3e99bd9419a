import type { Response } from 'express';
import { demandView, forecastView, hoursView, surgeView } from '../../contracts/api/analytics';
import { operations } from '../../contracts/api/operations';
import type { Client } from '../../platform/client';
import { csvOf, type CsvRow, type MountOperation, type Reply } from '../../platform/http';

/** What analytics has counted, for operators: as JSON, or its rows as CSV. */
export function analyticsRoutes(mount: MountOperation, analytics: Client): void {
  mount(operations.demand, async ({ query: { format, ...query }, signal, res }) => {
    const view = await analytics.call('GET', '/internal/demand', { query, response: demandView, signal });
    return answer(res, format, view, view.cells);
  });

  mount(operations.hours, async ({ query: { format, ...query }, signal, res }) => {
    const view = await analytics.call('GET', '/internal/hours', { query, response: hoursView, signal });
    return answer(res, format, view, view.hours);
  });

  mount(operations.forecast, async ({ query: { format, ...query }, signal, res }) => {
    const view = await analytics.call('GET', '/internal/forecast', { query, response: forecastView, signal });
    return answer(res, format, view, view.regions);
  });

  mount(operations.surges, async ({ query: { format, ...query }, signal, res }) => {
    const view = await analytics.call('GET', '/internal/surges', { query, response: surgeView, signal });
    return answer(res, format, view, view.surges);
  });
}

function answer(
  res: Response,
  format: 'json' | 'csv',
  body: object,
  rows: readonly CsvRow[],
): Reply | undefined {
  if (format === 'json') return { status: 200, body };
  res.status(200).type('text/csv').send(csvOf(rows));
  return undefined;
}
