// One tab owns a profile: it holds the profile's Web Lock and has the worker. The others ask it over a channel, and one
// of them gets the lock as soon as the owner goes, and with it the profile. What was asked of an owner that went is
// asked again of the next one under the same name, so that it is carried out once.

/// An owner that doesn't say within this time that it has heard is asleep; a tab that somebody looks at takes over.
const ACKNOWLEDGED_MILLIS = 3_000;

export class Tabs {
  #me = crypto.randomUUID();
  #channel;
  #owns = false;
  #release = null;
  #waiting = new AbortController();
  #asked = new Map();
  /// What other tabs have asked and not been answered.
  #serving = new Set();
  /// Which tabs are looked at.
  #seen = new Map();
  #closed = false;

  /// `keeper` carries out what is asked while this tab owns the profile. `told(event)` hears the events of the owner's
  /// worker, here or in another tab. `owns(bool)` hears when this tab becomes owner or ceases to be; `seen()` that
  /// somebody began or ceased to look at any of the tabs.
  constructor({ profile, keeper, told, owns, seen }) {
    Object.assign(this, { keeper, told, owns, seen });
    this.name = `granary-${profile}`;
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#want();
    this.#say({ is: "hello" });
  }

  get isOwner() {
    return this.#owns;
  }

  /// Carries out `what` here or at the owner.
  ask(what, args, id = crypto.randomUUID(), again = false) {
    if (this.#owns) return this.keeper.ask(what, args, id, again);
    return new Promise((resolve, reject) => {
      const entry = { what, args, id, again, resolve, reject, timer: null };
      this.#asked.set(id, entry);
      this.#send(entry);
    });
  }

  /// Tells the other tabs of an event of this tab's worker.
  share(event) {
    if (this.#owns) this.#say({ is: "event", event });
  }

  /// This tab is looked at or not any more.
  look(visible) {
    this.#seen.set(this.#me, visible);
    this.#say({ is: "seen", visible });
    this.seen();
  }

  /// True when somebody looks at any tab of this profile.
  get visible() {
    return [...this.#seen.values()].includes(true);
  }

  /// This tab's worker found that a later one has opened the store: another tab owns the profile.
  lose() {
    this.#resign();
    this.#want();
  }

  /// Lets the profile go.
  close() {
    this.#closed = true;
    this.#waiting.abort();
    this.#say({ is: "seen", visible: false });
    this.#resign();
    for (const entry of this.#asked.values()) {
      clearTimeout(entry.timer);
      entry.reject({ code: "no-answer", field: null, sentence: "" });
    }
    this.#asked.clear();
    this.#channel.close();
  }

  #say(message) {
    this.#channel.postMessage({ ...message, from: this.#me });
  }

  #send(entry) {
    const { what, args, id, again } = entry;
    this.#say({ is: "ask", what, args, id, again });
    entry.again = true;
    this.#expect(entry, () => this.#unheard(entry));
  }

  /// Until it is answered, the owner is asked again and again whether it still works at it.
  #expect(entry, late) {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => this.#asked.has(entry.id) && !this.#owns && late(), ACKNOWLEDGED_MILLIS);
  }

  #unheard(entry) {
    // A page that nobody looks at leaves the profile to one that is looked at.
    if (document.visibilityState === "visible") this.#want({ steal: true });
    else this.#send(entry);
  }

  #want(how = {}) {
    if (this.#closed) return;
    this.#waiting.abort();
    this.#waiting = new AbortController();
    const options = how.steal ? how : { signal: this.#waiting.signal };
    let release = null;
    navigator.locks.request(this.name, options, () => new Promise((free) => {
      if (this.#closed) {
        free();
        return;
      }
      release = free;
      this.#release = free;
      this.#become();
    })).catch(() => {
      // Another tab took it while this one slept. That this tab ceased to wait is no news.
      if (release && this.#release === release) this.lose();
    });
  }

  #become() {
    this.#owns = true;
    this.keeper.start();
    const looked = this.#seen.get(this.#me) ?? false;
    this.#seen = new Map([[this.#me, looked]]);
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const entry of asked) {
      clearTimeout(entry.timer);
      this.keeper.ask(entry.what, entry.args, entry.id, true).then(entry.resolve, entry.reject);
    }
    this.#say({ is: "owner" });
    this.#say({ is: "hello" });
    this.owns(true);
  }

  #resign() {
    if (!this.#owns) return;
    this.#owns = false;
    this.#release?.();
    this.#release = null;
    this.#serving.clear();
    // Those who asked from other tabs ask the next owner themselves.
    for (const entry of this.keeper.stop()) {
      if (!entry.foreign) this.ask(entry.what, entry.args, entry.id, true).then(entry.resolve, entry.reject);
    }
    this.owns(false);
  }

  #hear(data) {
    switch (data.is) {
      case "hello":
        this.#say({ is: "seen", visible: this.#seen.get(this.#me) ?? false });
        break;
      case "seen":
        this.#seen.set(data.from, data.visible);
        this.seen();
        break;
      case "event":
        if (!this.#owns) this.told(data.event);
        break;
      case "owner":
        for (const entry of this.#asked.values()) this.#send(entry);
        break;
      case "heard": {
        const entry = this.#asked.get(data.id);
        if (entry) this.#expect(entry, () => this.#send(entry));
        break;
      }
      case "ask":
        if (this.#owns) this.#serve(data);
        break;
      case "answer": {
        const entry = this.#asked.get(data.id);
        if (!entry) break;
        clearTimeout(entry.timer);
        this.#asked.delete(data.id);
        if (data.error) entry.reject(data.error);
        else entry.resolve(data.ok);
        break;
      }
    }
  }

  /// Carries out what another tab asks.
  async #serve({ what, args, id, again }) {
    this.#say({ is: "heard", id });
    if (this.#serving.has(id)) return;
    this.#serving.add(id);
    let answer;
    try {
      answer = { ok: await this.keeper.ask(what, args, id, again, true) };
    } catch (error) {
      answer = { error };
    }
    this.#serving.delete(id);
    this.#say({ is: "answer", id, ...answer });
  }
}
