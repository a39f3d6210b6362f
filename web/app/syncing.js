// When this worker syncs: schedule and live socket together, and the rule that a sync which trapped the core twice in
// a row is not tried by itself again. The count of traps is kept beside the rows, since a trap costs the worker its
// life; another version of the app begins at nought.

import { Live } from "./live.js";
import { Schedule } from "./schedule.js";
import { VERSION } from "./version.js";

const TRAPS_MAX = 2;
/// Errors after which another try alone changes nothing, as for the native phone (client-core, phone/driver.rs).
const HOPELESS = new Set(["not-enrolled", "device-revoked", "unknown-device", "unknown-version", "other-cooperative"]);

export class Syncing {
  #enrolled = false;
  #traps = 0;
  #waiting = [];
  #over = false;

  /// `run` makes one sync and gives its outcome; `greet` gives the live socket's greeting; `told` hears that the state
  /// has changed. `failures` is how many workers before this one broke in a row.
  constructor({ store, run, greet, told, online, visible, failures }) {
    Object.assign(this, { store, run, told, online, visible, failures });
    this.schedule = new Schedule({ run: () => this.#run(), told });
    this.live = new Live({ greet, nudged: () => this.schedule.nudged() });
  }

  /// Reads the count of traps. `hung`: the page has just ended a worker that hung in a sync.
  async open(hung) {
    const kept = await this.store.note("traps");
    this.#traps = kept?.version === VERSION ? kept.count : 0;
    if (hung) await this.trapped();
  }

  /// True after two traps in a row.
  get stopped() {
    return this.#traps >= TRAPS_MAX;
  }

  /// What the status says of the line.
  state() {
    const { online, visible, stopped, schedule } = this;
    return { online, visible, stopped, syncing: schedule.running, nextSync: schedule.next };
  }

  /// The phone is enrolled: from now on it syncs by itself. `reached`: it has just joined, so the line is there, whatever the
  /// browser says of it.
  start({ reached = false } = {}) {
    this.#enrolled = true;
    this.online ||= reached;
    if (!this.online) this.schedule.offline();
    if (this.stopped) return;
    if (reached) this.schedule.asked();
    // A worker that follows broken ones waits as after that many failed syncs.
    else if (this.failures > 0) this.schedule.resume(this.failures);
    else this.schedule.nudged();
    this.#listen();
  }

  /// Something was written that waits to be sent.
  edited() {
    if (this.#enrolled && !this.stopped) this.schedule.edited();
  }

  /// The line came or went, or somebody looks or has stopped.
  line(online, visible) {
    const back = online && !this.online;
    Object.assign(this, { online, visible });
    if (!online) this.schedule.offline();
    if (this.#enrolled && !this.stopped) {
      if (back) this.schedule.asked();
      this.schedule.seen(visible);
    }
    this.#listen();
    this.told();
  }

  /// A person asks. Joins the sync that runs, and gives its outcome; one that failed may have begun on a line that was
  /// bad then, and is made once more.
  now() {
    const joined = this.schedule.running;
    const outcome = new Promise((resolve) => this.#waiting.push({ resolve, joined }));
    if (!joined) this.schedule.asked();
    return outcome;
  }

  /// A sync trapped the core.
  async trapped() {
    this.#traps += 1;
    await this.store.keepNote("traps", { count: this.#traps, version: VERSION });
  }

  /// This worker is of no use any more.
  stop() {
    this.#over = true;
    this.schedule.stop();
    this.live.want(false);
  }

  #listen() {
    this.live.want(this.#enrolled && this.online && this.visible && !this.stopped);
  }

  async #run() {
    const outcome = await this.run();
    if (this.#over) return;
    const code = outcome.error?.code;
    if (code === undefined) {
      if (this.#traps > 0) await this.store.keepNote("traps", { count: 0, version: VERSION }).catch(() => undefined);
      this.#traps = 0;
      this.schedule.succeeded();
      this.#listen();
    } else if (this.stopped || HOPELESS.has(code)) {
      this.schedule.hopeless();
    } else {
      this.schedule.failed();
    }
    const waiting = this.#waiting.splice(0);
    this.#waiting = waiting.filter(({ joined }) => joined && code !== undefined).map(({ resolve }) => ({ resolve, joined: false }));
    for (const { resolve, joined } of waiting) if (!joined || code === undefined) resolve(outcome);
    if (this.#waiting.length > 0) this.schedule.asked();
    this.told();
  }
}
