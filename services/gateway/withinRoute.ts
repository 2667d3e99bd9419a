import { operations } from '../../contracts/api/operations';
import { withinView } from '../../contracts/api/within';
import type { Client } from '../../platform/client';
import type { MountOperation } from '../../platform/http';

/** Who is in a polygon, for operators: location knows. */
export function withinRoute(mount: MountOperation, location: Client): void {
  mount(operations.driversWithin, async ({ body, signal }) => ({
    status: 200,
    body: await location.call('POST', '/internal/within', { body, response: withinView, signal }),
  }));
}
