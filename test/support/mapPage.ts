import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import type { Point } from '../../domain/geo';

/** Asks a page that shows the live map what is on it. */
export function mapPage(page: () => Page) {
  /** What the page's own modules say, in the page. */
  const inPage = <T>(expression: string): Promise<T> =>
    page().evaluate(
      `(async () => { const { map, drivers } = await import('/map/app.mjs'); return ${expression}; })()`,
    );

  /** What a layer draws in sight, or at a place. */
  const drawnIn = (layer: string, place?: Point): Promise<Record<string, unknown>[]> => {
    const where =
      place &&
      `((at) => [[at.x - 3, at.y - 3], [at.x + 3, at.y + 3]])(map.project([${place.lng}, ${place.lat}])), `;
    const query = `map.queryRenderedFeatures(${where ?? ''}{ layers: ['${layer}'] })`;
    return inPage(`${query}.map(({ properties }) => properties)`);
  };

  const lookAtManhattan = (): Promise<void> =>
    inPage(`void map.jumpTo({ center: [-73.98, 40.735], zoom: 11.5 })`);

  /** What axe finds wrong with the page as it is now: rules, and the elements that break them. */
  async function barriers(): Promise<string[]> {
    await page().evaluate(axe.source);
    const { violations, passes } = await page().evaluate<AxeResults>('axe.run()');
    expect(passes.map(({ id }) => id)).toContain('color-contrast');
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  return { inPage, drawnIn, lookAtManhattan, barriers };
}
