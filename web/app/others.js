// Several people share a phone, and one of them holds it. What the others wrote is sent too: after a sync of hers their phones are
// opened one after the other, sync once, and are closed again.

import { Keeper } from "./keeper.js";
import { Tabs } from "./tabs.js";

/// The others are looked after this often at most.
const AGAIN_MILLIS = 60_000;

export class Others {
  #busy = false;
  #last = 0;
  #close = () => undefined;
  #over = false;

  /// `profiles()` gives the list of who uses this phone; `sent()` hears that another's count of what waits has changed.
  constructor({ profiles, sent }) {
    Object.assign(this, { profiles, sent });
  }

  /// Sends what waits of all but `current`.
  async send(current, language) {
    if (this.#busy || Date.now() - this.#last < AGAIN_MILLIS) return;
    this.#busy = true;
    this.#over = false;
    try {
      for (const { id, unsent, cooperative } of await this.profiles().list()) {
        if (this.#over) return;
        if (id !== current && cooperative && unsent > 0) await this.#sendOf(id, language);
      }
    } finally {
      // After a change of hands all begins anew.
      if (!this.#over) this.#last = Date.now();
      this.#busy = false;
    }
  }

  /// Somebody else takes the phone: her own profile must be free.
  stop() {
    this.#over = true;
    this.#last = 0;
    this.#close();
  }

  async #sendOf(id, language) {
    const keeper = new Keeper({
      settings: () => ({ profile: id, language, online: true, visible: false, installed: navigator.serviceWorker?.controller != null }),
      told: () => undefined,
    });
    const tabs = new Tabs({ profile: id, keeper, told: () => undefined, owns: () => undefined, seen: () => undefined });
    const closed = new Promise((resolve) => { this.#close = resolve; });
    try {
      // A person who takes her own phone meanwhile does not wait for this.
      await Promise.race([closed, this.#synced(id, tabs)]);
    } catch { /* It is tried after the next sync. */ } finally {
      for (const entry of keeper.stop()) entry.reject({ code: "no-answer", field: null, sentence: "" });
      tabs.close();
    }
  }

  async #synced(id, tabs) {
    await tabs.ask("sync", {});
    const { unsent } = await tabs.ask("call", { method: "status", args: {} });
    await this.profiles().update(id, { unsent });
    this.sent();
  }
}
