// What the browser phone fetches, caches and takes anew, against a stand-in for the core: its second part, offline starts, updates.
import { strict as assert } from "node:assert";
import { call, core, eventsOf, notes, ready, record, tab, until } from "./fake/browser.mjs";
import { story } from "./story.mjs";

const MORE = "wasm/granary_web_more.wasm";

story("with the core's first part lots are recorded; what needs the second says so until it is here, and is not cached before", async (world, context) => {
  world.missing.add(MORE);
  const page = await tab(context, world);
  assert.ok((await record(page, "first")).ok);
  assert.deepEqual(await call(page, "fill", { name: "a", bytes: 8 }), { error: "not-whole" });
  assert.deepEqual(await notes(page), ["first"]);
  const isAsked = () => world.requests.some(({ path }) => path.endsWith("/sw.js"));
  assert.ok(!isAsked(), "the line is the second part's");
  world.missing.clear();
  assert.ok((await call(page, "fill", { name: "a", bytes: 8 })).ok);
  await until("the app is cached", isAsked);
}, {});

story("a call that traps for want of the core's second part is carried out once, when it is here", async (world, context) => {
  world.missing.add(MORE);
  const page = await tab(context, world);
  await record(page, "before");
  assert.deepEqual(await record(page, "needs the rest"), { error: "not-whole" });
  assert.deepEqual(await eventsOf(page, "trap"), [], "the core is not at fault");
  const asked = record(page, "needs the rest");
  world.missing.clear();
  const again = (await asked).ok ?? (await until("the second part", async () => (await record(page, "needs the rest")).ok));
  assert.ok(again);
  assert.deepEqual(await notes(page), ["before", "needs the rest"]);
});

/// A tab whose service worker holds the whole app.
async function installed(world, context, version) {
  world.version = version;
  const page = await tab(context, world);
  await notes(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await until("the service worker", () => page.evaluate(() => navigator.serviceWorker.controller !== null));
  return page;
}

story("from the second start on it works without a line", async (world, context) => {
  const page = await installed(world, context, "1");
  await record(page, "online");
  world.line = "down";
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  assert.ok((await record(page, "offline")).ok);
  await page.goto(`${world.url}#/lot/1`);
  await page.goto(`${world.url}somewhere?x=1`);
  await ready(page);
  assert.deepEqual(await notes(page), ["offline", "online"], "every address of the app begins it");
}, {});

// After a withdrawal each opening ended once in the first part and began anew, which a slow phone feels.
story("an installed app opens with one worker, also where opening needs the core's second part", async (world, context) => {
  const page = await installed(world, context, "1");
  const ended = [];
  page.on("console", (message) => { if (message.text().includes("worker ends")) ended.push(message.text()); });
  await record(page, "opening needs the rest");
  for (const line of ["ok", "down"]) {
    world.line = line;
    await page.reload();
    await ready(page);
    assert.deepEqual(await notes(page), ["opening needs the rest"]);
  }
  assert.deepEqual(ended, []);
}, {});

story("nothing that is sent passes the service worker", async (world, context) => {
  const page = await installed(world, context, "1");
  await core(page, "enrol", "code", "Li");
  await core(page, "sync");
  const posted = world.requests.filter(({ method }) => method === "POST");
  assert.ok(posted.length >= 2 && posted.every(({ body }) => body.length > 0));
  const passed = await page.evaluate(async () => {
    const names = performance.getEntriesByType("resource").filter(({ workerStart }) => workerStart > 0).map(({ name }) => name);
    await fetch("/s", { method: "POST", body: JSON.stringify({ lots: [] }) });
    return [...names, ...performance.getEntriesByType("resource").map((entry) => entry.responseStatus === 0 ? entry.name : "")].filter((name) => name.endsWith("/s"));
  });
  assert.deepEqual(passed, []);
}, {});

story("an update is fetched whole, only what changed, and waits while a form is open", async (world, context) => {
  const page = await installed(world, context, "1");
  await core(page, "formOpen", true);
  world.requests.length = 0;
  world.changed.set("app.css", Buffer.from("body { margin: 1px }"));
  world.version = "2";
  await page.evaluate(async () => { window.mark = "not loaded anew"; await (await navigator.serviceWorker.getRegistration()).update(); });
  await until("the event", async () => (await eventsOf(page, "update")).length > 0);
  const fetched = world.requests.map(({ path }) => path).filter((path) => path.startsWith("/app/"));
  assert.deepEqual(fetched, ["/app/sw.js", "/app/app.css"]);
  assert.deepEqual(await core(page, "applyUpdate"), { error: "form-open" });
  assert.equal(await page.evaluate(() => window.mark), "not loaded anew");
  await core(page, "formOpen", false);
  await core(page, "applyUpdate").catch(() => undefined);
  await until("the page loaded anew", () => page.evaluate(() => window.mark === undefined).catch(() => false));
  await ready(page);
  assert.equal(await page.evaluate(async () => (await (await fetch("app.css")).text())), "body { margin: 1px }");
  assert.deepEqual(await page.evaluate(() => caches.keys()), ["granary-2"]);
}, {});

story("a form in another tab holds an update back; the next start applies it", async (world, context) => {
  const page = await installed(world, context, "1");
  const other = await tab(context, world);
  await core(other, "formOpen", true);
  world.version = "2";
  await page.evaluate(async () => { await (await navigator.serviceWorker.getRegistration()).update(); });
  await until("the event", async () => (await eventsOf(page, "update")).length > 0);
  assert.deepEqual(await core(page, "applyUpdate"), { error: "form-open" });
  await other.close();
  await page.reload();
  await until("the new version", () => page.evaluate(() => caches.keys().then((names) => names.join() === "granary-2")).catch(() => false));
  await ready(page);
  assert.ok((await record(page, "goes on")).ok);
}, {});

story("an update whose files don't fit is not taken", async (world, context) => {
  const page = await installed(world, context, "1");
  world.version = "2";
  // The server gives another file than sw.js promises, as in the middle of its own update.
  world.changed.set("app.css", Buffer.from("body { margin: 2px }"));
  world.stale.set("app.css", Buffer.from("body { margin: 9px }"));
  await page.evaluate(async () => { await (await navigator.serviceWorker.getRegistration()).update().catch(() => undefined); });
  await until("it to be refused", () => page.evaluate(async () => { const r = await navigator.serviceWorker.getRegistration(); return !r.installing && !r.waiting; }));
  await page.reload();
  await ready(page);
  assert.ok((await record(page, "still works")).ok);
}, {});

for (const [name, options, sentence] of [
  ["WeChat's browser", { userAgent: "Mozilla/5.0 (Linux; Android 12) MicroMessenger/8.0" }, /WeChat/],
  ["a browser without WebAssembly", { without: "delete globalThis.WebAssembly" }, /WebAssembly/],
  ["a private window that keeps nothing", { without: "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }" }, /private window/],
]) {
  const { without, ...more } = options;
  story(`${name} says in both languages why it can't be`, async (world, context) => {
    if (without) await context.addInitScript(without);
    const page = await context.newPage();
    await page.goto(world.url);
    const said = await page.locator("#boot").innerText();
    assert.match(said, sentence);
    assert.match(said, /[\u4e00-\u9fff]/);
  }, { serviceWorkers: "block", ...more });
}
