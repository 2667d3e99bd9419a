export interface MapSettings {
  readonly area: {
    readonly south: number;
    readonly west: number;
    readonly north: number;
    readonly east: number;
  };
  /** Steps from one rim of the area to the other. */
  readonly grid: number;
}

/** The page of the live map; its script fills it. */
export function mapPage(settings: MapSettings): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Hailway: the city now</title>
<link rel="stylesheet" href="/map/maplibre/maplibre-gl.css">
<link rel="stylesheet" href="/map/map.css">
</head>
<body>
<script type="application/json" id="settings">${JSON.stringify(settings)}</script>
<a class="skip" href="#rides">Skip the map</a>
<header>
<h1><a href="/">Hailway</a>: the city now</h1>
<p id="connection">connecting …</p>
</header>
<main>
<div id="map"></div>
<ul id="legend" aria-label="Legend">
<li><i class="mark free"></i>free driver</li>
<li><i class="mark busy"></i>driver on a ride</li>
<li><i class="mark pickup"></i>pickup, or rider under way</li>
<li><i class="mark ride"></i>ride: pickup to drop-off</li>
<li><i class="mark track"></i>chosen ride: as it was driven</li>
<li><i class="mark few"></i><i class="mark many"></i>few to many rides asked for in the last half hour</li>
<li><i class="mark surge"></i>surge</li>
</ul>
</main>
<aside aria-label="Numbers and rides">
<p id="summary" role="status" class="unseen"></p>
<section aria-labelledby="now-title">
<h2 id="now-title">Now</h2>
<dl id="now"></dl>
<p id="away" role="alert"></p>
</section>
<section aria-labelledby="lag-title">
<h2 id="lag-title">Lag</h2>
<table><thead><tr><th scope="col">consumer</th><th scope="col">records</th><th scope="col">seconds</th></tr></thead><tbody id="lag"></tbody></table>
</section>
<section id="ride" aria-labelledby="ride-title" hidden>
<h2 id="ride-title" tabindex="-1"></h2>
<p><a id="ride-link" target="_blank" rel="noopener">Its workflow in Temporal</a> <button type="button" id="ride-close">Close</button></p>
<p id="ride-track"></p>
<ol id="ride-steps"></ol>
</section>
<form id="find">
<label for="find-id">A ride, also one that is over, by its id</label>
<input id="find-id" name="ride" required autocomplete="off" spellcheck="false" pattern="\\s*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\s*">
<button>Show</button>
</form>
<section aria-labelledby="rides-title">
<h2 id="rides-title">Rides in flight</h2>
<ul id="rides" tabindex="-1"></ul>
<p id="more-rides"></p>
</section>
</aside>
<script type="module" src="/map/app.mjs"></script>
</body>
</html>
`;
}
