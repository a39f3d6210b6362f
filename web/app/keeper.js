// The page's hold on a worker: starts it, hands it calls, and replaces it when it broke or hangs. A call that was under
// way is then asked again under its old name, and the worker answers it from what is kept if it was carried out: so a
// call is carried out once, and a page never waits for ever.

/// A worker that has not said that it is alive for this long hangs.
const PATIENCE_MILLIS = 20_000;
/// Opening reads everything, on a phone of six times slower than ours.
const OPENING_MILLIS = 120_000;
/// Workers that broke in a row, without an answer between them, before opening is given up for a while.
const BROKEN_MAX = 5;
const GIVEN_UP_MILLIS = 5_000;
/// The wait before opening is tried again, times the failures.
const AGAIN_MILLIS = 100;
/// A phone that can't keep what a sync brings must not ask for it again and again: as after this many syncs that failed.
const UNKEPT_FAILURES = 5;
const UNKEPT = new Set(["storage", "storage-full"]);
/// What opening refuses again and again.
const LASTING = new Set(["newer-store", "storage-gone"]);

const refused = (code, sentence = "") => ({ code, field: null, sentence });

export class Keeper {
  #worker = null;
  #asked = new Map();
  #next = 1;
  #heard = 0;
  #ready = false;
  #watch = null;
  /// Workers that broke since one answered, and since one has synced.
  #broken = 0;
  #failures = 0;
  #hung = false;
  /// A worker broke for want of the core's second part: the next one waits for it.
  #needsWhole = false;
  #syncing = false;
  #given = null;
  #again = null;

  /// `settings()` gives what a worker is opened with; `told(event)` hears what the worker says.
  constructor({ settings, told, patience = PATIENCE_MILLIS, makeWorker = () => new Worker(new URL("worker.js", import.meta.url), { type: "module", name: "phone" }) }) {
    Object.assign(this, { settings, told, patience, makeWorker });
  }

  /// Asks the worker and resolves with its answer, or rejects with the error that the page is to see. `foreign`: for
  /// another tab.
  ask(what, args, id, again = false, foreign = false) {
    if (this.#given && performance.now() - this.#given.at < GIVEN_UP_MILLIS) return Promise.reject(this.#given.error);
    return new Promise((resolve, reject) => {
      const n = this.#next++;
      this.#asked.set(n, { n, what, args, id, again, foreign, resolve, reject, tries: 0 });
      if (!this.#worker) this.start();
      else if (this.#ready) this.#send(this.#asked.get(n));
      this.#look();
    });
  }

  /// Says something that needs no answer; a worker that isn't ready hears it by its settings.
  say(what, args) {
    if (this.#ready) this.#worker.postMessage({ n: 0, what, args });
  }

  start() {
    if (this.#worker) return;
    clearTimeout(this.#again);
    this.#given = null;
    this.#ready = false;
    const worker = this.makeWorker();
    this.#worker = worker;
    this.#heard = performance.now();
    worker.onmessage = ({ data }) => this.#worker === worker && this.#hear(data);
    // It could not be loaded, or failed outside of any call.
    worker.onerror = (event) => {
      event.preventDefault?.();
      const code = this.#ready || event.message ? "storage" : "broke";
      if (this.#worker === worker) this.#replace({ code, method: null, during: this.#ready ? "call" : "open", id: null });
    };
    const args = { ...this.settings(), failures: this.#failures, hung: this.#hung, needsWhole: this.#needsWhole };
    this.#hung = false;
    worker.postMessage({ n: 0, what: "open", args });
    this.#look();
  }

  /// Ends the worker. What was asked is handed back, to be asked elsewhere.
  stop() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    clearTimeout(this.#again);
    clearInterval(this.#watch);
    this.#watch = null;
    const left = [...this.#asked.values()];
    this.#asked.clear();
    return left;
  }

  #send(entry) {
    entry.tries += 1;
    const { n, what, args, id } = entry;
    this.#worker.postMessage({ n, what, args, id, again: entry.again || entry.tries > 1 });
  }

  #hear(data) {
    this.#heard = performance.now();
    if (data.pong !== undefined) return;
    if (data.event === "dead") return this.#replace(data);
    if (data.event === "status") this.#syncing = data.value.syncing;
    if (data.event === "synced") this.#failures = 0;
    if (data.event) return this.told(data);
    if (data.n === 0) {
      // Opened; an error of opening has been told as `dead`.
      if (data.ok === undefined || this.#ready) return;
      this.#ready = true;
      this.told({ event: "opened" });
      for (const entry of this.#asked.values()) this.#send(entry);
      return;
    }
    const entry = this.#asked.get(data.n);
    this.#asked.delete(data.n);
    if (data.error) {
      entry?.reject(data.error);
      return;
    }
    this.#broken = 0;
    entry?.resolve(data.ok);
  }

  /// The worker is of no use any more: refuses the call that broke it, and asks the others of a new one.
  #replace({ code, method, during, id }) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    if (code === "not-whole" && !this.#needsWhole) {
      // Nothing of it was carried out: all is asked again of a worker that has the whole core.
      this.#needsWhole = true;
      for (const entry of this.#asked.values()) Object.assign(entry, { again: true, tries: 0 });
      this.start();
      return;
    }
    for (const entry of [...this.#asked.values()]) {
      const isCause = (id !== null && entry.id === id) || (during === "sync" && entry.what === "sync");
      if (!isCause && entry.tries < 2) continue;
      this.#asked.delete(entry.n);
      entry.reject(refused(isCause ? code : "no-answer"));
    }
    this.#broken += 1;
    this.#failures += 1;
    if (UNKEPT.has(code)) this.#failures = Math.max(this.#failures, UNKEPT_FAILURES);
    this.told({ event: "broken", code, method, during });
    if (code === "superseded") return;
    // A phone that only breaks must come to rest.
    if (LASTING.has(code) || this.#broken > BROKEN_MAX) this.#give(refused(code));
    else if (during === "open" || code === "not-whole") this.#again = setTimeout(() => this.start(), AGAIN_MILLIS * this.#broken);
    else this.start();
  }

  #give(error) {
    this.#given = { error, at: performance.now() };
    for (const entry of this.stop()) entry.reject(error);
  }

  /// Looks after the worker while something is asked of it.
  #look() {
    if (this.#watch !== null) return;
    let pinged = performance.now();
    this.#watch = setInterval(() => {
      if (this.#asked.size === 0 && this.#ready && !this.#syncing) {
        clearInterval(this.#watch);
        this.#watch = null;
        return;
      }
      const now = performance.now();
      // This page itself stood still: the silence says nothing of the worker.
      if (now - pinged > this.patience) this.#heard = now;
      pinged = now;
      const limit = this.#ready ? this.patience : Math.max(OPENING_MILLIS, this.patience);
      if (now - this.#heard > limit) {
        this.#hung = this.#syncing;
        this.#replace({ code: "no-answer", method: null, during: "hang", id: null });
      } else {
        this.#worker?.postMessage({ n: 0, what: "ping" });
      }
    }, this.patience / 4);
  }
}
