// The version that runs: `web/build` puts a hash over all files of the app here, and how many bytes the core has.
export const VERSION = "dev";
export const CORE_BYTES = 0;
