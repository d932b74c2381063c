// Requests as callers make them: series from the list of the service, the first ones most often, with remembered tags.
//   URL   URL of the service, http://127.0.0.1:8000 by default
//   KEY   an API key
import http from "k6/http";
import { check, sleep } from "k6";
import exec from "k6/execution";
import { Rate } from "k6/metrics";

const URL = __ENV.URL || "http://127.0.0.1:8000";
const KEY = __ENV.KEY ? { "X-API-Key": __ENV.KEY } : {};
const CONDITIONAL = Number(__ENV.CONDITIONAL || 0.3);
const PAUSE = Number(__ENV.PAUSE || 1);
const STATIC = ["/v2/catalog/sources", "/v2/catalog/datasets", "/v2/catalog/units", "/v2/catalog/blocks", "/v2/series?limit=50"];
const BULK = ["arrow", "parquet", "csv", "ndjson"];
const DAY = 86400000;

const hits = new Rate("cache_hits");
const notModified = new Rate("not_modified");
const tags = {};

http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 304));

export function setup() {
  const answer = http.get(`${URL}/v2/series?limit=200`, { headers: KEY });
  if (answer.status !== 200) throw new Error(`/v2/series answers ${answer.status}`);
  const known = answer.json().data.filter((series) => series.first !== null);
  if (known.length === 0) throw new Error("the service lists no series with observations");
  return known;
}

export function reads(known) {
  request(readPath(known));
  if (exec.scenario.executor === "constant-vus") sleep(-Math.log(1 - Math.random()) * PAUSE);
}

export function exports(known) {
  request(`/v2/series/${encodeURIComponent(randomSeries(known).key)}/observations?format=${any(BULK)}`);
}

function readPath(known) {
  const series = randomSeries(known);
  const key = encodeURIComponent(series.key);
  const dice = Math.random();
  if (dice < 0.05) return any(STATIC);
  if (dice < 0.1) return `/v2/series/${key}`;
  const days = dice < 0.75 ? 1 : 7;
  const last = Math.floor(Date.parse(series.last) / DAY + 1) * DAY;
  const end = Math.max(last - Math.floor(Math.random() * 14) * DAY, Date.parse(series.first) + DAY);
  const span = `start=${day(end - days * DAY)}&end=${day(end)}`;
  const rest = dice > 0.9 ? `&as_of=${encodeURIComponent(series.updated_at)}` : days === 7 ? "&layout=columns" : "";
  return `/v2/series/${key}/observations?${span}${rest}`;
}

function request(path) {
  const headers = { ...KEY };
  if (tags[path] !== undefined && Math.random() < CONDITIONAL) headers["If-None-Match"] = tags[path];
  const answer = http.get(URL + path, { headers, tags: { load: "yes", name: path.split("?")[0].replace(/series\/[^/]+/, "series/{key}") } });
  check(answer, { "answered": (response) => response.status === 200 || response.status === 304 });
  notModified.add(answer.status === 304);
  const cache = (answer.headers["X-Cache"] || (answer.headers.Age !== undefined ? "hit" : "")).toLowerCase();
  if (["hit", "stale", "miss"].includes(cache)) hits.add(cache !== "miss");
  if (answer.status === 200 && answer.headers.Etag) tags[path] = answer.headers.Etag;
}

function randomSeries(known) {
  // Zipf's law: the second series is requested half as often as the first.
  const weights = known.map((_, place) => 1 / (place + 1));
  let dice = Math.random() * weights.reduce((sum, weight) => sum + weight, 0);
  return known[Math.max(0, weights.findIndex((weight) => (dice -= weight) < 0))];
}

function any(choices) {
  return choices[Math.floor(Math.random() * choices.length)];
}

function day(instant) {
  return new Date(instant).toISOString().slice(0, 10);
}
