// The property that the product stands on: wherever in its writes a worker fails or is killed, every record that was
// answered is there once, none is there in part, and one that was refused for want of storage is not there.
// GRANARY_SEEDS=FROM..TO runs other worlds; each failure prints its seed.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { core, launch, record, tab, until } from "./fake/browser.mjs";
import { serve } from "./fake/serve.mjs";

const [from, to] = (process.env.GRANARY_SEEDS ?? "0..12").split("..").map(Number);
const RECORDS = 10;
const FAULTS = 4;

/// Mulberry32: one seed makes one world.
function randomOf(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/// A worker in which the `at`-th write, or end of a transaction, goes wrong: the write throws, its transaction is
/// aborted, or the worker stops for ever, which the page ends as the system would.
function fault(kind, at) {
  return `{
    let left = ${at};
    const strike = (transaction) => {
      if (--left !== 0) return;
      if (${JSON.stringify(kind)} === "throw") throw new DOMException("planted", "DataError");
      if (${JSON.stringify(kind)} === "abort" && transaction) return transaction.abort();
      for (;;);
    };
    for (const name of ["put", "add", "delete"]) {
      const original = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (...given) {
        const request = original.apply(this, given);
        strike(this.transaction);
        return request;
      };
    }
    const { set } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, "oncomplete");
    Object.defineProperty(IDBTransaction.prototype, "oncomplete", {
      set(heard) { set.call(this, (event) => { strike(null); heard(event); }); },
    });
  }`;
}

/// What lies in the store, past the app.
const rowsOf = (page) => page.evaluate(() => new Promise((resolve) => {
  const open = indexedDB.open(`granary-${window.core.profile.id}`);
  open.onsuccess = () => {
    const request = open.result.transaction("rows").objectStore("rows").getAllKeys();
    request.onsuccess = () => {
      open.result.close();
      resolve(request.result.map((key) => new TextDecoder().decode(key)));
    };
  };
}));

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

for (let seed = from; seed < to; seed += 1) {
  test(`a worker that is killed at any write loses nothing that was answered: seed ${seed}`, async () => {
    const random = randomOf(seed);
    const world = await serve();
    const context = await browser.newContext({ serviceWorkers: "block" });
    try {
      const page = await tab(context, world, "?patience=250");
      await core(page, "enrol", "code", "Li");
      for (let index = 0; index < FAULTS; index += 1) world.beforeNextWorkers.push(fault(["throw", "abort", "stop", "stop"][random(4)], 1 + random(24)));
      const answers = [];
      for (let index = 0; index < RECORDS; index += 1) {
        answers.push(await record(page, `note ${index}`));
        // Begins with the first fault at some record; syncs lie between records.
        if (index === random(3)) await core(page, "call", "trap");
        if (random(3) === 0) await core(page, "sync");
      }
      world.beforeNextWorkers.length = 0;
      await page.goto(world.url);
      const lots = await until("the lots", async () => (await core(page, "call", "lots")).ok);
      const rows = await rowsOf(page);
      const told = JSON.stringify(answers.map(({ ok, error }) => error ?? ok.id));
      for (const [index, { ok, error }] of answers.entries()) {
        const found = lots.filter(({ note }) => note === `note ${index}`);
        if (ok) assert.deepEqual(found.map(({ id }) => id), [ok.id], `seed ${seed}: record ${index} was answered: ${told}`);
        else if (error === "storage") assert.equal(found.length, 0, `seed ${seed}: record ${index} was refused: ${told}`);
        else assert.ok(found.length <= 1, `seed ${seed}: record ${index} is there twice: ${told}`);
      }
      const has = new Set(rows);
      for (const row of rows) {
        const id = row.slice(2);
        if (row.startsWith("o ")) assert.ok(has.has(`l ${id}`), `seed ${seed}: half a record`);
        if (row.startsWith("l ") && !has.has(`o ${id}`)) assert.ok(world.taken.has(id), `seed ${seed}: half a record`);
      }
      assert.ok(answers.filter(({ ok }) => ok).length >= RECORDS / 2, `seed ${seed}: most are kept: ${told}`);
    } finally {
      await context.close();
      world.stop();
    }
  });
}
