// The browser phone's edge against a stand-in for the core: what is durable when, who owns the store, what becomes of
// broken workers, and what the service worker does.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { call, core, current, eventsOf, launch, launchLasting, notes, ready, record, tab, until } from "./fake/browser.mjs";
import { serve } from "./fake/serve.mjs";
import { GATHER_MILLIS, IDLE_MILLIS, Schedule, backoff } from "../../web/app/schedule.js";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/// A world of its own for one test.
function story(name, tell, options = { serviceWorkers: "block" }) {
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

/// A schedule on a clock that stands until it is moved.
function scheduled() {
  let now = 0;
  let due = null;
  const starts = [];
  const timers = { setTimeout: (run, wait) => { due = { run, at: now + wait }; return 1; }, clearTimeout: () => { due = null; } };
  const schedule = new Schedule({ run: () => starts.push(now), now: () => now, random: () => 0, timers });
  const pass = (millis) => {
    const end = now + millis;
    while (due && due.at <= end) {
      const { run, at } = due;
      due = null;
      now = at;
      run();
    }
    now = end;
  };
  return { schedule, starts, pass };
}

test("edits are gathered, one sync runs at a time, and what came meanwhile goes in the next", () => {
  const { schedule, starts, pass } = scheduled();
  schedule.edited();
  pass(1_000);
  schedule.edited();
  pass(GATHER_MILLIS);
  assert.deepEqual(starts, [GATHER_MILLIS], "the second edit doesn't put it off");
  schedule.edited();
  schedule.nudged();
  pass(60_000);
  assert.equal(starts.length, 1);
  schedule.succeeded();
  pass(GATHER_MILLIS);
  assert.equal(starts.length, 2);
  schedule.succeeded();
  pass(IDLE_MILLIS);
  assert.equal(starts.length, 3, "an idle phone asks every quarter of an hour");
});

test("after failures it waits longer and longer, until the line returns", () => {
  const { schedule, starts, pass } = scheduled();
  schedule.asked();
  pass(0);
  for (let failures = 1; failures <= 12; failures += 1) {
    schedule.failed();
    schedule.edited();
    pass(backoff(failures, 0) - 1);
    assert.equal(starts.length, failures, "an edit waits for the next try");
    pass(1);
    assert.equal(starts.length, failures + 1);
  }
  schedule.failed();
  schedule.offline();
  pass(3 * IDLE_MILLIS);
  assert.equal(starts.length, 13, "nothing is tried without a line");
  schedule.asked();
  pass(0);
  assert.equal(starts.length, 14);
  for (const random of [0, 0.5, 1]) assert.ok(backoff(1, random) >= 5_000 && backoff(40, random) <= 15 * 60_000);
});

/// A world with a browser that keeps its data on the disk and can be killed.
async function lastingly(tell) {
  const world = await serve();
  const lasting = await launchLasting();
  try {
    await tell(world, lasting.start);
  } finally {
    world.stop();
    await lasting.remove();
  }
}

test("what was answered is there after the browser was killed", () => lastingly(async (world, start) => {
  for (const note of ["first", "second", "third"]) {
    const { context, kill } = await start();
    const page = await tab(context, world);
    assert.ok((await record(page, note)).ok.id);
    await kill();
  }
  const { context, kill } = await start();
  const page = await tab(context, world);
  assert.deepEqual(await notes(page), ["first", "second", "third"]);
  await kill();
}));

test("what a form keeps is there after the browser was killed, and gone with its profile", () => lastingly(async (world, start) => {
  const first = await start();
  const page = await tab(first.context, world);
  assert.deepEqual(await page.evaluate(() => window.core.kept), { names: null, draft: null });
  await core(page, "keep", { draft: { product: "millet", text: "37.2" } });
  await first.kill();
  const second = await start();
  const again = await tab(second.context, world);
  assert.deepEqual(await again.evaluate(() => window.core.kept.draft), { product: "millet", text: "37.2" });
  await core(again, "removeProfile", await current(again));
  assert.equal(await again.evaluate(() => window.core.kept.draft), null);
  await second.kill();
}));

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

story("a write that fails is told, nothing of it is kept, and the next one works", async (world, context) => {
  world.beforeWorker = `{
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (value, key) {
      if (this.name === "rows" && new TextDecoder().decode(value) === "bad" && new TextDecoder().decode(key).startsWith("o ")) throw new DOMException("no", "DataError");
      return put.call(this, value, key);
    };
  }`;
  const page = await tab(context, world);
  assert.ok((await record(page, "good")).ok);
  assert.deepEqual(await record(page, "bad"), { error: "storage" });
  assert.deepEqual(await notes(page), ["good"], "the worker has opened again from what is durable");
  assert.ok((await record(page, "better")).ok);
  await page.reload();
  await ready(page);
  assert.deepEqual(await notes(page), ["better", "good"]);
});

story("a full disk is named, what is there can be read, and it goes on when there is room", async (world, context) => {
  // The browser looks at the quota when the store is opened, and seldom later.
  const devtools = await context.newCDPSession(await context.newPage());
  const quota = (quotaSize) => devtools.send("Storage.overrideQuotaForOrigin", { origin: world.origin, quotaSize });
  await quota(1_000_000);
  const page = await tab(context, world);
  assert.ok((await record(page, "before")).ok);
  let refused;
  for (let index = 0; index < 10 && !refused; index += 1) refused = (await call(page, "fill", { name: index, bytes: 300_000 })).error;
  assert.equal(refused, "storage-full");
  assert.deepEqual(await notes(page), ["before"]);
  assert.ok((await eventsOf(page, "storage")).some(({ code }) => code === "storage-full"));
  await quota(undefined);
  await until("room", async () => (await call(page, "fill", { name: "again", bytes: 300_000 })).ok);
  assert.ok((await record(page, "after")).ok);
  assert.deepEqual(await notes(page), ["after", "before"]);
});

story("a trap ends the worker; the next one finds everything that was answered", async (world, context) => {
  const page = await tab(context, world);
  await record(page, "kept");
  const [trapped, other] = await Promise.all([call(page, "trap"), record(page, "behind it")]);
  assert.deepEqual(trapped, { error: "trap" });
  assert.ok(other.ok, "what was asked behind it is asked again");
  assert.deepEqual(await notes(page), ["behind it", "kept"]);
  assert.equal((await eventsOf(page, "trap")).length, 1);
});

story("a worker that hangs is replaced, and the page is told", async (world, context) => {
  const page = await tab(context, world);
  await record(page, "kept");
  assert.deepEqual(await call(page, "hang"), { error: "no-answer" });
  assert.deepEqual(await notes(page), ["kept"]);
});

story("after two traps in a row nothing syncs by itself, until a sync that a person asks for succeeds", async (world, context) => {
  const page = await tab(context, world);
  assert.ok((await core(page, "enrol", "code", "Li")).ok);
  assert.ok((await core(page, "sync")).ok);
  world.line = "trap";
  assert.deepEqual(await core(page, "sync"), { error: "trap" });
  assert.equal((await call(page, "status")).ok.stopped, false);
  assert.deepEqual(await core(page, "sync"), { error: "trap" });
  assert.equal((await call(page, "status")).ok.stopped, true);
  await page.reload();
  await ready(page);
  const { stopped, nextSync } = (await call(page, "status")).ok;
  assert.deepEqual({ stopped, nextSync }, { stopped: true, nextSync: null }, "a new start does not begin again");
  assert.ok((await record(page, "more")).ok, "recording goes on");
  assert.ok((await core(page, "exportOutbox")).ok, "and the outbox can be handed over");
  world.line = "ok";
  assert.ok((await core(page, "sync")).ok);
  assert.equal((await call(page, "status")).ok.stopped, false);
});

story("records are sent by themselves, several in one sync; a nudge brings what is new", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  await until("the first sync", async () => (await eventsOf(page, "status")).some(({ nextSync, syncing }) => nextSync !== null && !syncing));
  const syncs = () => world.requests.filter(({ path }) => path === "/s").length;
  const earlier = syncs();
  for (const note of ["a", "b", "c"]) await record(page, note);
  await until("all sent", async () => (await call(page, "status")).ok.unsent === 0);
  const bodies = world.requests.filter(({ path }) => path === "/s").slice(earlier).map(({ body }) => JSON.parse(body).lots.length);
  assert.ok(bodies.includes(3), `three in one: ${bodies}`);
  await until("the live socket", () => world.sockets.size === 1);
  const now = syncs();
  world.nudge();
  await until("a sync for the nudge", () => syncs() > now);
  const { month } = (await call(page, "status")).ok;
  assert.ok(month.up > 0 && month.down > 0);
});

story("errors of the line are told apart", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  await core(page, "sync");
  for (const [line, code] of [["cut", "broke"], ["portal", "intercepted"], ["redirect", "intercepted"], ["403", "refused"]]) {
    world.line = line;
    assert.deepEqual((await core(page, "sync")).error ?? "none", code, line);
  }
  for (const line of ["ok", "plain"]) {
    world.line = line;
    assert.ok((await core(page, "sync")).ok, line);
  }
});

story("two tabs have one owner, and the second takes over when the first goes", async (world, context) => {
  const first = await tab(context, world);
  await record(first, "by the first");
  const second = await tab(context, world);
  assert.ok((await record(second, "by the second")).ok);
  assert.deepEqual(await notes(first), ["by the first", "by the second"]);
  assert.equal((await context.pages()).length, 2);
  assert.deepEqual([first.workers().length, second.workers().length], [1, 0], "one worker for both");
  await until("the event in the other tab", async () => (await eventsOf(second, "changed")).length > 0);
  await first.close();
  const began = Date.now();
  assert.ok((await record(second, "after it")).ok);
  console.log(`took over and recorded in ${Date.now() - began} ms`);
  assert.deepEqual(await notes(second), ["after it", "by the first", "by the second"]);
});

story("what was asked of an owner that goes is carried out once", async (world, context) => {
  const first = await tab(context, world);
  await notes(first);
  const second = await tab(context, world);
  const asked = Array.from({ length: 30 }, (_, index) => record(second, `n${String(index).padStart(2, "0")}`));
  await Promise.race(asked);
  await first.close();
  const answers = await Promise.all(asked);
  assert.ok(answers.every(({ ok }) => ok));
  assert.deepEqual(await notes(second), Array.from({ length: 30 }, (_, index) => `n${String(index).padStart(2, "0")}`));
});

story("an owner that sleeps loses the profile, and writes nothing when it wakes", async (world, context) => {
  const first = await tab(context, world);
  await record(first, "one");
  const second = await tab(context, world);
  // The first tab's page no longer hears: what a frozen tab looks like from outside.
  await first.evaluate(() => { BroadcastChannel.prototype.postMessage = () => undefined; });
  await second.bringToFront();
  assert.ok((await record(second, "two")).ok);
  assert.deepEqual(await notes(second), ["one", "two"]);
  await until("the first to give up its worker", () => first.workers().length === 0);
});

story("several people on one phone have a phone each", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  await record(page, "Li's");
  const li = await current(page);
  const zhang = (await core(page, "addProfile")).ok;
  await core(page, "switchProfile", zhang);
  assert.equal((await call(page, "state")).ok.enrolled, false);
  await record(page, "Zhang's");
  assert.deepEqual(await notes(page), ["Zhang's"]);
  await page.reload();
  await ready(page);
  assert.equal(await current(page), zhang, "the next start is hers");
  await core(page, "switchProfile", li);
  assert.deepEqual(await notes(page), ["Li's"]);
  assert.equal((await call(page, "state")).ok.householdName, "Li");
  world.line = "cut";
  await record(page, "not sent");
  await until("the count", async () => (await core(page, "profiles")).ok.find(({ id }) => id === li).unsent > 0);
  await core(page, "switchProfile", zhang);
  assert.deepEqual(await core(page, "removeProfile", li), { error: "not-delivered" });
  assert.ok("ok" in (await core(page, "removeProfile", li, { force: true })));
  assert.deepEqual((await core(page, "profiles")).ok.map(({ id }) => id), [zhang]);
  const databases = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).sort());
  assert.deepEqual(databases.filter((name) => name !== "granary-probe"), ["granary", `granary-${zhang}`]);
});

story("whoever joined is called by the household's name once it came, and by the phone's until then", async (world, context) => {
  const page = await tab(context, world);
  const own = async () => (await core(page, "profiles")).ok.find(({ cooperative }) => cooperative);
  await core(page, "enrol", "code", "");
  assert.deepEqual([(await own()).name, (await own()).household], ["", ""]);
  world.named = "Zhang Shan";
  await core(page, "sync");
  await until("her name", async () => (await own()).household === "Zhang Shan");
  const packer = (await core(page, "addProfile")).ok;
  await core(page, "switchProfile", packer);
  world.named = "";
  await core(page, "enrol", "code", "Scale");
  assert.equal((await core(page, "profiles")).ok.find(({ id }) => id === packer).name, "Scale");
});

story("a PIN hides what is kept; wrong tries are slowed down", async (world, context) => {
  const page = await tab(context, world);
  await record(page, "mine");
  await core(page, "setPin", "2580");
  await page.reload();
  await ready(page);
  assert.deepEqual(await call(page, "lots"), { error: "locked" });
  for (let index = 0; index < 4; index += 1) assert.equal((await core(page, "unlock", "0000")).ok.ok, false);
  const { ok, waitMillis } = (await core(page, "unlock", "2580")).ok;
  assert.ok(!ok && waitMillis > 0, "the right one too must wait");
  await page.evaluate(() => { const now = Date.now.bind(Date); Date.now = () => now() + 60_000; });
  assert.deepEqual((await core(page, "unlock", "2580")).ok, { ok: true });
  assert.deepEqual(await notes(page), ["mine"]);
});

story("language, large letters and unit are kept for each person", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "setLanguage", "en");
  await core(page, "setPreferences", { large: true, unit: "kg" });
  await page.reload();
  await ready(page);
  assert.deepEqual(await page.evaluate(() => window.core.preferences), { language: "en", large: true, unit: "kg" });
  assert.equal((await call(page, "status")).ok.language, "en");
});

const keptKey = (page) => page.evaluate(() => new Promise((resolve) => {
  const open = indexedDB.open(`granary-${window.core.profile.id}`);
  open.onsuccess = () => {
    const request = open.result.transaction("meta").objectStore("meta").get("key");
    request.onsuccess = () => {
      open.result.close();
      const { kind, privateKey, publicKey } = request.result ?? {};
      resolve(kind && { kind, extractable: privateKey.extractable, publicKey: [...publicKey] });
    };
  };
}));

story("the signing key can't be read, and a phone that left joins again with another", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  const first = await keptKey(page);
  assert.deepEqual([first.kind, first.extractable, first.publicKey.length], ["webcrypto", false, 32]);
  assert.ok("ok" in (await call(page, "leave", { force: false })));
  assert.equal(await keptKey(page), undefined);
  await core(page, "enrol", "code", "Li");
  assert.notDeepEqual((await keptKey(page)).publicKey, first.publicKey);
});

story("a browser without Ed25519 signs with the library, and keeps its seed encrypted", async (world, context) => {
  world.beforeWorker = `{
    const generate = SubtleCrypto.prototype.generateKey;
    SubtleCrypto.prototype.generateKey = function (how, ...rest) {
      return how.name === "Ed25519" ? Promise.reject(new DOMException("no", "NotSupportedError")) : generate.call(this, how, ...rest);
    };
  }`;
  const page = await tab(context, world);
  assert.ok((await core(page, "enrol", "code", "Li")).ok);
  await page.reload();
  await ready(page);
  assert.ok((await core(page, "sync")).ok);
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
  test(`${name} says in both languages why it can't be`, async () => {
    const world = await serve();
    const { without, ...more } = options;
    const context = await browser.newContext({ serviceWorkers: "block", ...more });
    try {
      if (without) await context.addInitScript(without);
      const page = await context.newPage();
      await page.goto(world.url);
      const said = await page.locator("#boot").innerText();
      assert.match(said, sentence);
      assert.match(said, /[\u4e00-\u9fff]/);
    } finally {
      await context.close();
      world.stop();
    }
  });
}

story("the app's icon says how much waits, and nothing once all is sent", async (world, context) => {
  await context.addInitScript(() => {
    window.badges = [];
    navigator.setAppBadge = async (count) => { window.badges.push(count); };
    navigator.clearAppBadge = async () => { window.badges.push(0); };
  });
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  await until("the first sync", async () => (await call(page, "status")).ok.unsent === 0);
  world.line = "down";
  for (const note of ["a", "b"]) await record(page, note);
  const last = () => page.evaluate(() => window.badges.at(-1));
  await until("two wait", async () => (await last()) === 2);
  world.line = "ok";
  await core(page, "sync");
  await until("none waits", async () => (await last()) === 0);
});

story("a browser that shows no badge, or refuses one, goes on", async (world, context) => {
  await context.addInitScript(() => {
    navigator.setAppBadge = async () => { throw new DOMException("no", "NotAllowedError"); };
    navigator.clearAppBadge = undefined;
  });
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  assert.ok((await record(page, "a")).ok);
  await until("it is sent", async () => (await call(page, "status")).ok.unsent === 0);
});
