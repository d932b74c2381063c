// k6 run bench/k6/export.js: whole histories in bulk formats, one a second.
import { profile } from "./profiles.js";

export { exports, reads, setup } from "./callers.js";
export const options = profile("export");
