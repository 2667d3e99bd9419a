import { empty } from './style.mjs';

/** The way of a ride under way grows: it is asked for anew this often. */
const EVERY_MS = 5_000;

/** The chosen ride's way, as its driver drove it: drawn on the map, said in words beside it. */
export class Track {
  #map;
  #rideId;
  #timer;

  constructor(map) {
    this.#map = map;
  }

  /** Shows the way of a ride, and moves the map there where it is elsewhere; again and again while `isUnderWay`. */
  async show(rideId, isUnderWay) {
    this.clear();
    this.#rideId = rideId;
    await this.#look(rideId, true);
    const again = async () => {
      if (this.#rideId !== rideId) return;
      await this.#look(rideId, false);
      if (isUnderWay()) this.#timer = setTimeout(again, EVERY_MS);
    };
    this.#timer = setTimeout(again, EVERY_MS);
  }

  clear() {
    this.#rideId = undefined;
    clearTimeout(this.#timer);
    this.#draw(null, '');
  }

  async #look(rideId, moves) {
    let track;
    let why;
    try {
      const answer = await fetch(`/map/rides/${rideId}/track`);
      const body = await answer.json();
      if (answer.ok) track = body;
      else why = body.detail ?? body.title;
    } catch (error) {
      why = error.message;
    }
    if (this.#rideId !== rideId) return;
    if (track === undefined) return this.#draw(null, `Its way is not known: ${why}.`);
    const { coordinates, from, to } = track;
    if (coordinates.length === 0) return this.#draw(null, 'No way of it is known.');
    const times = `${from.slice(11, 19)} to ${to.slice(11, 19)}`;
    this.#draw(coordinates, `Its way as it was driven, ${times}: ${coordinates.length} positions.`);
    if (moves) this.#moveTo(coordinates);
  }

  #moveTo(coordinates) {
    const lngs = coordinates.map(([lng]) => lng);
    const lats = coordinates.map(([, lat]) => lat);
    const southWest = [Math.min(...lngs), Math.min(...lats)];
    const northEast = [Math.max(...lngs), Math.max(...lats)];
    const seen = this.#map.getBounds();
    if (seen.contains(southWest) && seen.contains(northEast)) return;
    this.#map.fitBounds([southWest, northEast], { padding: 60, maxZoom: 14 });
  }

  #draw(coordinates, text) {
    const line = { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates } };
    this.#map.getSource('track')?.setData({ ...empty, features: coordinates === null ? [] : [line] });
    document.getElementById('ride-track').textContent = text;
  }
}
