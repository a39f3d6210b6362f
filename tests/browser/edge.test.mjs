// The browser phone's edge against a stand-in for the core: what is durable when, who owns the store, what becomes of broken workers.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { call, core, current, eventsOf, launchLasting, notes, ready, record, tab, until } from "./fake/browser.mjs";
import { serve } from "./fake/serve.mjs";
import { story } from "./story.mjs";

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
  assert.deepEqual(await page.evaluate(() => window.core.kept), { names: null, draft: null, heard: "" });
  await core(page, "keep", { draft: { product: "millet", text: "37.2" } });
  await first.kill();
  const second = await start();
  const again = await tab(second.context, world);
  assert.deepEqual(await again.evaluate(() => window.core.kept.draft), { product: "millet", text: "37.2" });
  await core(again, "removeProfile", await current(again));
  assert.equal(await again.evaluate(() => window.core.kept.draft), null);
  await second.kill();
}));

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

story("who joins after the line came back gets what is there", async (world, context) => {
  const page = await tab(context, world);
  await context.setOffline(true);
  assert.ok("error" in (await core(page, "enrol", "code", "Li")));
  await context.setOffline(false);
  // The browser tells its workers of the line some time later.
  await until("she has joined", async () => "ok" in (await core(page, "enrol", "code", "Li")));
  await until("a sync by itself", () => world.requests.some(({ path }) => path === "/s"));
});

story("what others on this phone wrote is sent after a sync of hers", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  const li = await current(page);
  const zhang = (await core(page, "addProfile")).ok;
  await core(page, "switchProfile", zhang);
  await core(page, "enrol", "code", "Zhang");
  world.line = "cut";
  await record(page, "Zhang's");
  const waits = async (id) => (await core(page, "profiles")).ok.find((one) => one.id === id).unsent;
  await until("the count", async () => (await waits(zhang)) > 0);
  await core(page, "switchProfile", li);
  world.line = "ok";
  await core(page, "sync");
  await until("hers is sent too", async () => (await waits(zhang)) === 0);
  assert.equal(await current(page), li);
  // She can take her own phone at once.
  await core(page, "switchProfile", zhang);
  assert.deepEqual(await notes(page), ["Zhang's"]);
  assert.equal((await call(page, "status")).ok.unsent, 0);
});

story("a full phone that can't keep what a sync brings does not ask again and again", async (world, context) => {
  const page = await tab(context, world);
  await core(page, "enrol", "code", "Li");
  await until("the first sync", async () => (await eventsOf(page, "status")).some(({ nextSync, syncing }) => nextSync !== null && !syncing));
  world.beforeWorker = `{
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (value, key) {
      if (this.name === "rows") throw new DOMException("full", "QuotaExceededError");
      return put.call(this, value, key);
    };
  }`;
  await page.reload();
  await ready(page);
  const syncs = () => world.requests.filter(({ path }) => path === "/s").length;
  const before = syncs();
  assert.deepEqual(await record(page, "not kept"), { error: "storage-full" });
  assert.deepEqual(await record(page, "not kept"), { error: "storage-full" });
  assert.ok((await eventsOf(page, "storage")).some(({ full }) => full));
  const next = async () => (await call(page, "status")).ok.nextSync;
  assert.ok((await next()) - Date.now() > 60_000, "it rests");
  assert.ok(syncs() - before < 3);
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
