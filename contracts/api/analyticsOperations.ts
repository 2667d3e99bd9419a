import {
  demandQuery,
  demandView,
  forecastQuery,
  forecastView,
  hoursQuery,
  hoursView,
  surgeQuery,
  surgeView,
} from './analytics';
import type { Operation } from './operation';

/** What happens in the city, counted. For people's spreadsheets as CSV, too. */
export const analyticsOperations = {
  demand: {
    method: 'get',
    path: '/v1/ops/demand',
    summary: 'Demand and supply, by cell and minute',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: demandQuery },
    response: { status: 200, description: 'The newest minutes first', body: demandView, csv: true },
    problems: [],
  },
  hours: {
    method: 'get',
    path: '/v1/ops/hours',
    summary: 'The funnel, waiting, revenue and what drivers did, by region and hour',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: hoursQuery },
    response: { status: 200, description: 'The newest hours first', body: hoursView, csv: true },
    problems: [],
  },
  surges: {
    method: 'get',
    path: '/v1/ops/surges',
    summary: 'Where rides cost more now',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: surgeQuery },
    response: { status: 200, description: 'The highest first', body: surgeView, csv: true },
    problems: [],
  },
  forecast: {
    method: 'get',
    path: '/v1/ops/forecast',
    summary: 'How many rides the present hour will have by its end, by region',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: forecastQuery },
    response: { status: 200, description: 'The busiest regions first', body: forecastView, csv: true },
    problems: [],
  },
} as const satisfies Record<string, Operation>;
