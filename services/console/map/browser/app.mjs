import { Map as LiveMap, Marker, NavigationControl } from './maplibre/maplibre-gl.mjs';
import { DriversLayer } from './drivers.mjs';
import { bounds, coordinatesOf, lngOf, latOf } from './grid.mjs';
import { listenToForm, showAway, showConnection, showPulse, showRides, showTimeline } from './panel.mjs';
import { Track } from './track.mjs';
import { empty, onPalette, palette, repaint, styleNow } from './style.mjs';

/** Lines to drivers follow them this often; the drivers' marks follow at once. */
const RIDES_EVERY_MS = 1_000;
const manhattan = [-74.03, 40.68, -73.9, 40.83];

export const map = new LiveMap({
  container: 'map',
  style: styleNow(),
  bounds: manhattan,
  maxBounds: bounds,
  maxPitch: 0,
  dragRotate: false,
  attributionControl: { compact: true, customAttribution: 'Outline: NYC Planning, GSHHG, OpenStreetMap' },
});
map.addControl(new NavigationControl({ showCompass: false }));
map
  .getCanvas()
  .setAttribute(
    'aria-label',
    'Map of drivers, rides and demand. Arrow keys move it, plus and minus zoom. The rides are listed beside it.',
  );

export const drivers = new DriversLayer(palette());
const track = new Track(map);
let rides = [];
let chosen;
let linesAt = -Infinity;

function choose(rideId) {
  chosen = rideId;
  drawRides();
  showTimeline(rideId, () => {
    chosen = undefined;
    track.clear();
    drawRides();
  }).catch((error) => showAway({ timeline: error.message }));
  void track.show(rideId, () => rides.some((ride) => ride.rideId === rideId));
}

function cellFeature({ cell, requested, noDriver, surge, ring }) {
  const corners = coordinatesOf(ring);
  return {
    type: 'Feature',
    properties: { cell, requested, noDriver, surge },
    geometry: { type: 'Polygon', coordinates: [[...corners, corners[0]]] },
  };
}

/** A ride's way: from its driver, where there is one, to the end. */
function rideFeatures({ rideId, status, driver, way }) {
  const properties = { rideId, status, chosen: rideId === chosen };
  const from = drivers.placeOf(driver);
  const pickup = [lngOf(way[0]), latOf(way[1])];
  const coordinates = coordinatesOf(from === null ? way : [...from, ...way]);
  return [
    { type: 'Feature', properties, geometry: { type: 'LineString', coordinates } },
    {
      ...{ type: 'Feature', properties },
      geometry: { type: 'Point', coordinates: status === 'in_progress' ? coordinates[0] : pickup },
    },
  ];
}

function drawRides() {
  linesAt = performance.now();
  map.getSource('rides').setData({ ...empty, features: rides.flatMap(rideFeatures) });
}

function take({ drivers: moved, rides: rode, cells, pulse, away }) {
  if (moved) {
    drivers.take(moved);
    map.triggerRepaint();
  }
  if (rode) {
    rides = rode;
    showRides(rides, choose);
  }
  if (rode || performance.now() - linesAt >= RIDES_EVERY_MS) drawRides();
  if (cells) map.getSource('cells').setData({ ...empty, features: cells.map(cellFeature) });
  if (pulse) showPulse(pulse, drivers.count);
  if (away) showAway(away);
}

function listen() {
  const events = new EventSource('/map/events');
  events.addEventListener('open', () => showConnection('live'));
  events.addEventListener('error', () => showConnection('connection lost, trying again'));
  events.addEventListener('map', ({ data }) => take(JSON.parse(data)));
}

const boroughs = { Manhattan: [-73.972, 40.776], Brooklyn: [-73.95, 40.645], Queens: [-73.82, 40.715] };
Object.assign(boroughs, { 'The Bronx': [-73.866, 40.852], 'Staten Island': [-74.15, 40.578] });
for (const [name, place] of Object.entries(boroughs)) {
  const element = Object.assign(document.createElement('span'), { className: 'borough', textContent: name });
  element.setAttribute('aria-hidden', 'true');
  new Marker({ element }).setLngLat(place).addTo(map);
}

map.once('load', () => {
  map.addLayer(drivers, 'pickups');
  for (const layer of ['pickups', 'ways']) {
    map.on('mouseenter', layer, () => (map.getCanvas().style.cursor = 'pointer'));
    map.on('mouseleave', layer, () => (map.getCanvas().style.cursor = ''));
  }
  map.on('click', ({ point: { x, y } }) => {
    const near = [
      [x - 5, y - 5],
      [x + 5, y + 5],
    ];
    const [ride] = map.queryRenderedFeatures(near, { layers: ['pickups', 'ways'] });
    if (ride) choose(ride.properties.rideId);
  });
  listenToForm(choose);
  listen();
});
onPalette(() => {
  drivers.colors = palette();
  repaint(map);
});
