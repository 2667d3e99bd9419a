import type { PaymentNeedsView } from '../../contracts/api/needs';
import type { DemandView } from '../../contracts/api/analytics';
import type { OverviewView } from '../../contracts/api/ops';
import { money } from '../../domain/money';
import { paymentNeeds } from '../../domain/paymentNeeds';
import type { RideStatus } from '../../domain/ride';

/** What was seen of a part, or why nothing was. */
export type Seen<T> = { readonly value: T } | { readonly missing: string };

export interface ConsoleState {
  readonly overview: Seen<OverviewView>;
  readonly needs: Seen<PaymentNeedsView>;
  readonly demand: Seen<DemandView>;
  readonly links: readonly (readonly [title: string, url: string])[];
  /** ISO 8601 in UTC. */
  readonly at: string;
}

const refreshSeconds = 3;

/** Every status, in the order in which it is shown: a record, so that the compiler finds a missing one. */
const shown: Readonly<Record<RideStatus, true>> = {
  scheduled: true,
  requested: true,
  matching: true,
  assigned: true,
  arrived: true,
  in_progress: true,
  completed: true,
  cancelled: true,
  no_driver: true,
  payment_failed: true,
};

/** The city on one page of HTML, which asks for itself again every few seconds. */
export function renderPage({ overview, needs, demand, links, at }: ConsoleState): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>Hailway</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; margin-bottom: 1rem; }
  th, td { border-bottom: 1px solid #ddd; padding: 0.2rem 1rem 0.2rem 0; text-align: left; }
  td.n { font-variant-numeric: tabular-nums; text-align: right; }
  .missing { color: #a00; }
</style>
</head>
<body>
<h1>Hailway</h1>
<p>${links.map(([title, url]) => `<a href="${escape(url)}">${escape(title)}</a>`).join(' · ')}</p>
<h2>Rides</h2>
${show(overview, rides)}
<h2>Drivers</h2>
${show(overview, drivers)}
<h2>Payments that need somebody, oldest first</h2>
${show(needs, needy)}
<h2>Demand, newest minutes first</h2>
${show(demand, cells)}
<p>As of <time>${escape(at)}</time>.</p>
</body>
</html>
`;
}

const show = <T>(seen: Seen<T>, render: (value: T) => string): string =>
  'value' in seen ? render(seen.value) : `<p class="missing">Not available: ${escape(seen.missing)}</p>`;

const rides = ({ ridesByStatus }: OverviewView): string =>
  table(
    ['status', 'rides'],
    Object.keys(shown).map((status) => [status, ridesByStatus[status] ?? 0]),
  );

const drivers = ({ drivers: { online, onRide, offline } }: OverviewView): string =>
  table(
    ['state', 'drivers'],
    [
      ['online, free', online],
      ['on a ride', onRide],
      ['offline', offline],
    ],
  );

const needy = ({ payments, next }: PaymentNeedsView): string =>
  payments.length === 0
    ? '<p>None.</p>'
    : table(
        ['since', 'ride', 'why', 'owed', 'reason'],
        payments.map(({ since, rideId, need, owedMinor, currency, reason }) => [
          since,
          rideId,
          paymentNeeds[need].is,
          owedMinor === 0 ? '' : money(owedMinor, currency),
          reason ?? '',
        ]),
      ) + (next === null ? '' : '<p>And more: npx hailway payments.</p>');

const cells = (demand: DemandView): string =>
  demand.cells.length === 0
    ? '<p>Nothing yet.</p>'
    : table(
        ['minute', 'cell', 'requested', 'completed', 'cancelled', 'no driver'],
        demand.cells.map((cell) => [
          cell.minute,
          cell.cell,
          cell.requested,
          cell.completed,
          cell.cancelled,
          cell.noDriver,
        ]),
      );

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string =>
    typeof value === 'number' ? `<td class="n">${value}</td>` : `<td>${escape(value)}</td>`;
  return `<table><thead><tr>${head.map((name) => `<th>${escape(name)}</th>`).join('')}</tr></thead><tbody>
${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}
</tbody></table>`;
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c] ?? c);
