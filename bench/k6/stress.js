// k6 run bench/k6/stress.js: 100 users for five minutes.
import { profile } from "./profiles.js";

export { exports, reads, setup } from "./callers.js";
export const options = profile("stress");
