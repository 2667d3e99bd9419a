/** The map's area and its grid: places come as two whole numbers, x eastward, y northward. */
const { area, grid } = JSON.parse(document.getElementById('settings').textContent);

export const bounds = [area.west, area.south, area.east, area.north];
export const center = [(area.west + area.east) / 2, (area.south + area.north) / 2];

export const lngOf = (x) => area.west + ((area.east - area.west) * x) / grid;
export const latOf = (y) => area.south + ((area.north - area.south) * y) / grid;

/** Places one after another, x and y in turn, as GeoJSON has them. */
export function coordinatesOf(places) {
  const coordinates = [];
  for (let i = 0; i < places.length; i += 2) coordinates.push([lngOf(places[i]), latOf(places[i + 1])]);
  return coordinates;
}

/** Web Mercator, the world from 0 to 1: the longitude eastward, the latitude southward. */
export const mercatorX = (lng) => (lng + 180) / 360;
export const mercatorY = (lat) =>
  0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
