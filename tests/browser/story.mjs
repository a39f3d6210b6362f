// A story of the browser phone's edge against a stand-in for the core. Who imports it has one browser from before the first to after
// the last.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { launch } from "./fake/browser.mjs";
import { serve } from "./fake/serve.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/// A world of its own for one test.
export function story(name, tell, options = { serviceWorkers: "block" }) {
  test(name, { timeout: 60_000 }, async () => {
    const world = await serve();
    const context = await browser.newContext(options);
    try {
      await tell(world, context);
      for (const page of context.pages()) assert.deepEqual(page.problems ?? [], []);
    } finally {
      await context.close();
      world.stop();
    }
  });
}
