import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { zoneCollection, zonesIn } from '../../../contracts/zones';
import { createZones, type Zones } from '../../../domain/zones';
import { ConfigError } from '../../../platform/config';
import { projectRoot } from '../../../platform/root';

/**
 * Reads the zones of a GeoJSON file, whose path goes from the project's root.
 * @throws ConfigError saying what is wrong with it
 */
export function readZones(path: string): Zones {
  const file = resolve(projectRoot(), path);
  try {
    return createZones(zonesIn(zoneCollection.parse(JSON.parse(readFileSync(file, 'utf8')))));
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
    throw new ConfigError(`ZONES_FILE takes a GeoJSON file of zones, ${path} is none: ${why}`, {
      cause: error,
    });
  }
}
