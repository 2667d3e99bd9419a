import { coordinatesOf } from './grid.mjs';

const ROW_BYTES = 6;

/** The usual way, in place of services/console/map/browser/drivers.mjs: a feature a driver, all set anew. */
export class DriversLayer {
  id = 'drivers';
  type = 'custom';
  #places = new Map();

  get count() {
    return this.#places.size;
  }

  placeOf(slot) {
    return this.#places.get(slot) ?? null;
  }

  take({ all, rows }) {
    if (all) this.#places.clear();
    const bytes = Uint8Array.from(atob(rows), (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += ROW_BYTES) {
      const slot = view.getUint16(at, true) & 0x3fff;
      this.#places.set(slot, [view.getUint16(at + 2, true), view.getUint16(at + 4, true)]);
    }
    const features = [...this.#places].map(([slot, place]) => ({
      ...{ type: 'Feature', id: slot, properties: {} },
      geometry: { type: 'Point', coordinates: coordinatesOf(place)[0] },
    }));
    this.map.getSource('fleet').setData({ type: 'FeatureCollection', features });
  }

  onAdd(map) {
    this.map = map;
    map.addSource('fleet', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    map.addLayer({ id: 'fleet', type: 'circle', source: 'fleet', paint: { 'circle-radius': 2 } });
  }

  render() {}
}
