/** Rides in the list: more than that nobody reads. */
const LISTED = 50;
/** So often those who hear the page are told how things stand. */
const SUMMARY_EVERY_MS = 15_000;

const byId = (id) => document.getElementById(id);

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  if (text !== undefined) made.textContent = text;
  return made;
}

let toldAt = -Infinity;
const whole = new Intl.NumberFormat('en');
const words = (text) => text.replaceAll('_', ' ');

/** The numbers beside the map, and how far consumers are behind. */
export function showPulse({ drivers, ridesByStatus, updatesPerSecond, factsPerSecond, lag }, onMap) {
  const inFlight = ['requested', 'matching', 'assigned', 'arrived', 'in_progress'];
  const rides = inFlight.reduce((sum, status) => sum + (ridesByStatus[status] ?? 0), 0);
  const numbers = {
    'rides in flight': rides,
    'rides completed': ridesByStatus.completed ?? 0,
    'drivers online, free': drivers.online,
    'drivers on a ride': drivers.onRide,
    'drivers on the map': onMap,
    'positions a second': updatesPerSecond,
    'facts a second': factsPerSecond,
  };
  byId('now').replaceChildren(
    ...Object.entries(numbers).flatMap(([name, number]) => [
      element('dt', name),
      element('dd', whole.format(number)),
    ]),
  );
  byId('lag').replaceChildren(
    ...lag.map(({ group, records, seconds }) => {
      const row = element('tr');
      row.append(
        element('th', group, { scope: 'row' }),
        element('td', whole.format(records)),
        element('td', seconds.toFixed(1)),
      );
      return row;
    }),
  );
  if (performance.now() - toldAt < SUMMARY_EVERY_MS) return;
  toldAt = performance.now();
  byId('summary').textContent =
    `${rides} rides in flight, ${drivers.online} drivers free, ${drivers.onRide} on a ride.`;
}

/** What the map does without, and why. */
export function showAway(away) {
  byId('away').textContent = Object.entries(away)
    .map(([what, why]) => `No ${what}: ${why}.`)
    .join(' ');
}

export function showConnection(text) {
  byId('connection').textContent = text;
}

/** The rides in flight as buttons: one that was there stays the same element, so that it keeps the focus. */
export function showRides(rides, choose) {
  const list = byId('rides');
  const shown = new Map([...list.children].map((item) => [item.dataset.ride, item]));
  const listed = rides.slice(0, LISTED).map(({ rideId, status, requestedAt }) => {
    const item = shown.get(rideId) ?? rideItem(rideId, choose);
    const text = `${words(status)}, asked for at ${requestedAt.slice(11, 19)}, ride ${rideId.slice(-6)}`;
    if (item.firstChild.textContent !== text) item.firstChild.textContent = text;
    shown.delete(rideId);
    return item;
  });
  for (const gone of shown.values()) gone.remove();
  listed.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  byId('more-rides').textContent =
    rides.length > LISTED
      ? `And ${rides.length - LISTED} more on the map.`
      : rides.length === 0
        ? 'None.'
        : '';
}

function rideItem(rideId, choose) {
  const item = element('li');
  item.dataset.ride = rideId;
  const button = element('button', '', { type: 'button' });
  button.addEventListener('click', () => choose(rideId));
  item.append(button);
  return item;
}

/** A ride that is over is in no list: whoever has its id may ask for it. */
export function listenToForm(choose) {
  byId('find').addEventListener('submit', (event) => {
    event.preventDefault();
    choose(byId('find-id').value.trim().toLowerCase());
  });
}

/** Shows what happened to a ride, and puts the focus there; where nothing is known, it says why. */
export async function showTimeline(rideId, onClose) {
  const section = byId('ride');
  byId('ride-title').textContent = `Ride ${rideId}`;
  byId('ride-steps').replaceChildren(element('li', 'asking …'));
  byId('ride-link').hidden = true;
  section.hidden = false;
  const opener = document.activeElement;
  byId('ride-close').onclick = () => {
    section.hidden = true;
    onClose();
    opener?.focus();
  };
  byId('ride-title').focus();
  const answer = await fetch(`/map/rides/${rideId}`);
  const body = await answer.json();
  if (byId('ride-title').textContent !== `Ride ${rideId}`) return;
  if (!answer.ok) {
    byId('ride-steps').replaceChildren(element('li', body.detail ?? body.title));
    return;
  }
  byId('ride-link').href = body.link;
  byId('ride-link').hidden = false;
  byId('ride-steps').replaceChildren(...body.steps.map(stepItem));
}

function stepItem({ type, time, command, by }) {
  const item = element('li');
  const cause = [command && words(command), by && `by ${by}`].filter(Boolean).join(' ');
  item.append(
    element('time', time.slice(11, 23), { dateTime: time }),
    element('code', type),
    element('span', cause === '' ? '' : `(${cause})`),
  );
  return item;
}
