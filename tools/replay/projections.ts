import { analytics } from '../../consumers/analytics/projection';
import { audit } from '../../consumers/audit/projection';
import { notifications } from '../../consumers/notifications/projection';
import { tracks } from '../../consumers/tracks/projection';
import type { Projection } from '../../platform/projection';
import { pricing } from '../../services/pricing/projection';

/** Every consumer that keeps something, by its name. */
export const projections = { analytics, audit, notifications, pricing, tracks } as const satisfies Readonly<
  Record<string, Projection>
>;
