import type { Pool } from '../../platform/postgres';
import type { ProviderAccess } from '../../services/payments/provider/client';
import { paymentsDatabase, providerAccess } from './payments';
import { startPsp, type RunningPsp } from './sandboxPsp';

/** What the payments worker asks the provider with, and a provider that keeps books of its own. */
export interface ProviderGround {
  readonly pool: Pool;
  readonly psp: RunningPsp;
  readonly access: ProviderAccess;
  readonly stop: () => Promise<void>;
}

export async function startProviderGround(): Promise<ProviderGround> {
  const [pool, psp] = await Promise.all([paymentsDatabase(), startPsp()]);
  return {
    pool,
    psp,
    access: providerAccess(pool, psp.url),
    async stop() {
      await psp.stop();
      await pool.end();
    },
  };
}
