import fc from 'fast-check';
import { LagWatch } from '../../services/console/map/lagWatch';
import { Rates } from '../../services/console/map/rates';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';

/** The numbers beside the live map: how fast, and how far behind. */

describe('a rate', () => {
  test('is what came since the look before by the time since, of each counter by itself', () => {
    const rates = new Rates();
    expect([rates.of('a', 700, 1_000), rates.of('b', 5, 1_000)]).toEqual([0, 0]);
    expect([rates.of('a', 750, 3_000), rates.of('b', 6, 1_500)]).toEqual([25, 2]);
    expect(rates.of('a', 750, 4_000)).toBe(0);
    expect(rates.of('a', 760, 9_000)).toBe(2);
  });

  test('is 0 where the counter has begun anew, and goes on from there', () => {
    const rates = new Rates();
    rates.of('a', 700, 1_000);
    expect(rates.of('a', 30, 2_000)).toBe(0);
    expect(rates.of('a', 50, 4_000)).toBe(10);
  });

  test('is a number and never below 0, and of a counter that only rises all of them make up what came', () => {
    const look = fc.record({ by: fc.integer({ min: -50, max: 200 }), afterMs: fc.nat({ max: 3_000 }) });
    fc.assert(
      fc.property(fc.array(look), (looks) => {
        const rates = new Rates();
        let [count, atMs, came] = [100, 0, 0];
        rates.of('a', count, atMs);
        const isSteady = looks.every(({ by, afterMs }) => by >= 0 && afterMs > 0);
        for (const { by, afterMs } of looks) {
          count = Math.max(0, count + by);
          atMs += afterMs;
          const rate = rates.of('a', count, atMs);
          expect(Number.isFinite(rate) && rate >= 0).toBe(true);
          came += (rate * afterMs) / 1_000;
        }
        if (isSteady) expect(came).toBeCloseTo(count - 100, 6);
      }),
    );
  });
});

const waysToBeAway = ['refusing', 'gone', 'hanging'] as const;

interface Shown {
  readonly applied: number;
  readonly skipped: number;
  readonly lag: number;
  readonly seconds: number;
  readonly is: 'here' | (typeof waysToBeAway)[number];
}

const metrics = (group: string, { applied, skipped, lag, seconds }: Shown): string =>
  [
    `# TYPE hailway_inbox_facts_total counter`,
    `hailway_inbox_facts_total{group="${group}",outcome="applied",reason=""} ${applied}`,
    `hailway_inbox_facts_total{group="${group}",outcome="skipped",reason="a \\"b\\", {c}"} ${skipped}`,
    `hailway_inbox_facts_total_of_another_name{group="${group}"} 1000000`,
    `kafka_consumer_group_lag{group="${group}",topic="rides",partition="0"} ${lag}`,
    `hailway_consumer_lag_seconds{group="${group}",topic="rides",partition="0"} ${seconds}`,
  ].join('\n');

describe('what consumers show', () => {
  const serve = httpServers(quiet);

  /** A process, and what it shows at /metrics while it is there. */
  async function consumer(group: string) {
    const shown: Shown = { applied: 0, skipped: 0, lag: 0, seconds: 0, is: 'here' };
    const { url } = await serve({
      routes: (router) =>
        router.get('/metrics', (req, res) => {
          if (shown.is === 'hanging') return;
          if (shown.is === 'gone') return void req.socket.destroy();
          if (shown.is === 'refusing') return void res.status(503).end();
          res.type('text').send(metrics(group, shown));
        }),
    });
    return { url, shown };
  }

  test('is summed up: facts a second of all, and the lag of each group', async () => {
    const [audit, analytics] = [await consumer('audit'), await consumer('analytics')];
    let nowMs = 5_000;
    const watch = new LagWatch([audit.url, analytics.url], 5_000, () => nowMs);
    Object.assign(audit.shown, { applied: 700, skipped: 40, lag: 12, seconds: 3.14 });
    Object.assign(analytics.shown, { applied: 90 });
    const lag = [
      { group: 'analytics', records: 0, seconds: 0 },
      { group: 'audit', records: 12, seconds: 3.1 },
    ];
    expect(await watch.look()).toEqual({ lag, factsPerSecond: 0 });
    nowMs += 2_000;
    Object.assign(audit.shown, { applied: 720, skipped: 60 });
    Object.assign(analytics.shown, { applied: 100 });
    expect(await watch.look()).toEqual({ lag, factsPerSecond: 25 });
  });

  test.each(waysToBeAway)(
    'leaves out a process that is %s, and knows its rate again when it is back, also where it began anew',
    async (is) => {
      const [audit, analytics] = [await consumer('audit'), await consumer('analytics')];
      let nowMs = 5_000;
      const watch = new LagWatch([audit.url, analytics.url], is === 'hanging' ? 1_500 : 5_000, () => nowMs);
      const look = async (applied: number, ofAudit: Partial<Shown>) => {
        Object.assign(analytics.shown, { applied });
        Object.assign(audit.shown, ofAudit);
        const { lag, factsPerSecond } = await watch.look();
        nowMs += 2_000;
        return [factsPerSecond, ...lag.map(({ group }) => group)];
      };
      expect(await look(0, { applied: 100 })).toEqual([0, 'analytics', 'audit']);
      expect(await look(10, { applied: 160 })).toEqual([35, 'analytics', 'audit']);
      expect(await look(20, { is })).toEqual([5, 'analytics']);
      // What came in the four seconds since it was heard of, not in the two since the last look.
      expect(await look(30, { is: 'here', applied: 200 })).toEqual([15, 'analytics', 'audit']);
      expect(await look(40, { is: 'gone' })).toEqual([5, 'analytics']);
      expect(await look(50, { is: 'here', applied: 7 })).toEqual([5, 'analytics', 'audit']);
      expect(await look(60, { applied: 67 })).toEqual([35, 'analytics', 'audit']);
    },
  );
});
