import { CircuitState } from 'cockatiel';
import { Gauge, type Registry } from 'prom-client';

const names = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, string>;

/** How a circuit breaker stands, in words. */
export type BreakerState = (typeof names)[CircuitState];
export const breakerState = (state: CircuitState): BreakerState => names[state];

const states = [...new Set(Object.values(names))];

/** Shows the state of each circuit breaker that is named to it, when it is looked at. */
export function showBreakers(registry: Registry): (breaker: string, state: () => BreakerState) => void {
  const breakers = new Map<string, () => BreakerState>();
  new Gauge({
    name: 'hailway_breaker_state',
    help: '1 for the state that a circuit breaker before somebody else is in: open lets nothing out',
    labelNames: ['breaker', 'state'],
    registers: [registry],
    collect() {
      for (const [breaker, now] of breakers)
        for (const state of states) this.set({ breaker, state }, now() === state ? 1 : 0);
    },
  });
  return (breaker, state) => void breakers.set(breaker, state);
}
