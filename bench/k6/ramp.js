// k6 run bench/k6/ramp.js: 10, 50, then 100 users.
import { profile } from "./profiles.js";

export { exports, reads, setup } from "./callers.js";
export const options = profile("ramp");
