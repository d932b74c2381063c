// A profile of ../load/profiles.json as k6 options: the same phases and limits as `python -m bench.load`.
const PROFILES = JSON.parse(open("../load/profiles.json"));

// SECONDS: duration of the whole run instead of the profile's own; phases keep their proportions.
export function profile(name) {
  const { phases, limits, kind } = PROFILES[name];
  const own = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const factor = __ENV.SECONDS ? Number(__ENV.SECONDS) / own : 1;
  const scenarios = {};
  let start = 0;
  phases.forEach((phase, number) => {
    const seconds = phase.seconds * factor;
    scenarios[`${name}_${number}`] = { ...executor(phase, seconds), startTime: `${start}s`, gracefulStop: "30s", exec: kind };
    start += seconds;
  });
  return { scenarios, thresholds: thresholds(limits), summaryTrendStats: ["med", "p(95)", "p(99)", "max"] };
}

function executor({ rate, users }, seconds) {
  return rate
    ? { executor: "constant-arrival-rate", rate, timeUnit: "1s", duration: `${seconds}s`, preAllocatedVUs: 10, maxVUs: 200 }
    : { executor: "constant-vus", vus: users, duration: `${seconds}s` };
}

function thresholds({ p95_ms, p99_ms, error_share }) {
  const durations = [];
  if (p95_ms !== undefined) durations.push(`p(95)<${p95_ms}`);
  if (p99_ms !== undefined) durations.push(`p(99)<${p99_ms}`);
  const limits = { "http_req_duration{load:yes}": durations };
  if (error_share !== undefined) limits["http_req_failed{load:yes}"] = [`rate<${error_share}`];
  if (__ENV.HIT_RATIO) limits.cache_hits = [`rate>=${__ENV.HIT_RATIO}`];
  return limits;
}
