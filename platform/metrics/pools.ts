import { Gauge, type Registry } from 'prom-client';
import type { Pool } from '../postgres';

/** Shows how many connections the pools have that are named to it, and who waits for one, when it is looked at. */
export function showPools(registry: Registry): (name: string, pool: Pool) => void {
  const pools = new Map<string, Pool>();
  const labelName = 'db_client_connection_pool_name';
  new Gauge({
    name: 'db_client_connection_count',
    help: 'Connections to databases',
    labelNames: [labelName, 'db_client_connection_state'],
    registers: [registry],
    collect() {
      for (const [name, { totalCount, idleCount }] of pools) {
        this.set({ [labelName]: name, db_client_connection_state: 'idle' }, idleCount);
        this.set({ [labelName]: name, db_client_connection_state: 'used' }, totalCount - idleCount);
      }
    },
  });
  new Gauge({
    name: 'db_client_connection_pending_requests',
    help: 'Who waits for a connection',
    labelNames: [labelName],
    registers: [registry],
    collect() {
      for (const [name, { waitingCount }] of pools) this.set({ [labelName]: name }, waitingCount);
    },
  });
  return (name, pool) => void pools.set(name, pool);
}
