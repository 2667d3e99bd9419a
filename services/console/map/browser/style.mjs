/** Colours by day and by night. All text is in the page around, so the style needs no fonts. */
const palettes = {
  light: {
    ...{ water: '#cfdde6', land: '#f4f2ec', city: '#fffdf8', shore: '#a9b6bd' },
    ...{
      few: '#f9c79a',
      many: '#c4421a',
      surge: '#8a1c7c',
      ride: '#1f4fd8',
      pickup: '#0b2a86',
      track: '#0a7c86',
    },
    ...{ free: [0.02, 0.45, 0.3, 1], busy: [0.12, 0.31, 0.85, 1] },
  },
  dark: {
    ...{ water: '#0c141b', land: '#1a2229', city: '#222c34', shore: '#47555f' },
    ...{
      few: '#5e3320',
      many: '#ff8a4c',
      surge: '#e58be0',
      ride: '#8fb0ff',
      pickup: '#dbe6ff',
      track: '#4fd0dc',
    },
    ...{ free: [0.4, 0.9, 0.65, 1], busy: [0.56, 0.69, 1, 1] },
  },
};

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The palette that the reader has asked for. */
export const palette = () => palettes[dark.matches ? 'dark' : 'light'];

/** Calls when the reader asks for another. */
export const onPalette = (listener) => dark.addEventListener('change', listener);

export const empty = { type: 'FeatureCollection', features: [] };

const source = () => ({ type: 'geojson', data: empty });

/** The layers from below to above, in a palette. */
function layersIn({ water, land, city, shore, few, many, surge, ride, pickup, track }) {
  const isCity = ['==', ['get', 'borough'], true];
  const chosen = ['==', ['get', 'chosen'], true];
  return [
    { id: 'water', type: 'background', paint: { 'background-color': water } },
    {
      ...{ id: 'land', type: 'fill', source: 'outline' },
      paint: { 'fill-color': ['case', isCity, city, land] },
    },
    { id: 'shores', type: 'line', source: 'outline', paint: { 'line-color': shore, 'line-width': 1.2 } },
    {
      ...{ id: 'cells', type: 'fill', source: 'cells' },
      paint: {
        'fill-color': ['interpolate', ['linear'], ['ln', ['+', 1, ['get', 'requested']]], 0, few, 3, many],
        'fill-opacity': 0.65,
      },
    },
    { id: 'rims', type: 'line', source: 'cells', paint: { 'line-color': many, 'line-opacity': 0.5 } },
    {
      ...{ id: 'surge', type: 'line', source: 'cells', filter: ['>', ['get', 'surge'], 1] },
      paint: { 'line-color': surge, 'line-width': ['interpolate', ['linear'], ['get', 'surge'], 1, 2, 3, 5] },
    },
    {
      ...{ id: 'track', type: 'line', source: 'track', layout: { 'line-join': 'round' } },
      paint: { 'line-color': track, 'line-width': 5, 'line-opacity': 0.85 },
    },
    {
      ...{ id: 'ways', type: 'line', source: 'rides', filter: ['==', ['geometry-type'], 'LineString'] },
      paint: {
        'line-color': ['case', chosen, surge, ride],
        'line-width': ['case', chosen, 4, 2],
        'line-opacity': ['case', chosen, 1, 0.7],
      },
    },
    {
      ...{ id: 'pickups', type: 'circle', source: 'rides', filter: ['==', ['geometry-type'], 'Point'] },
      paint: {
        'circle-radius': ['case', chosen, 8, 4.5],
        'circle-color': ['case', chosen, surge, pickup],
        'circle-stroke-width': 1.5,
        'circle-stroke-color': city,
      },
    },
  ];
}

/** A style that asks nobody outside for anything. */
export const styleNow = () => ({
  version: 8,
  sources: {
    outline: { type: 'geojson', data: '/map/outline.json' },
    cells: source(),
    track: source(),
    rides: source(),
  },
  layers: layersIn(palette()),
});

/** Gives a map's layers the palette of now. */
export function repaint(map) {
  for (const { id, paint } of layersIn(palette()))
    for (const [name, value] of Object.entries(paint)) map.setPaintProperty(id, name, value);
}
