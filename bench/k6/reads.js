// k6 run bench/k6/reads.js: slices, five a second.
import { profile } from "./profiles.js";

export { exports, reads, setup } from "./callers.js";
export const options = profile("reads");
