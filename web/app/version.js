// The version that runs: `web/build` puts a hash over all files of the app here.
export const VERSION = "dev";
