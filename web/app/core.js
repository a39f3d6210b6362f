// The phone as the page uses it: one object, `core`. It opens the current profile, in this tab's worker or through the
// tab that owns the profile, and tells the page what changed. What each method gives is described where it stands.

import { Keeper } from "./keeper.js";
import { makePin, tryPin } from "./pin.js";
import { Profiles, shown } from "./profiles.js";
import { readStorage, removeStore } from "./store.js";
import { Tabs } from "./tabs.js";
import { Updates } from "./updates.js";
import { VERSION } from "./version.js";

const refused = (code) => ({ code, field: null, sentence: "" });
const isVisible = () => document.visibilityState === "visible";
/// Codes of a store that refuses to be written.
const STORAGE = new Set(["storage", "storage-full", "storage-gone", "newer-store"]);

class Core {
  #listeners = new Map();
  #profiles = null;
  /// The current profile's record, and its tab.
  #record = null;
  #tabs = null;
  #keeper = null;
  #locked = false;
  #stopped = false;
  #whole = false;
  /// A write was refused for want of room, and none went well since.
  #full = false;
  #others = null;
  #installQuestion = null;
  #patience;
  #begun;
  #failed;
  /// What is asked before the start waits for it.
  #started = new Promise((resolve, reject) => {
    this.#begun = resolve;
    this.#failed = reject;
  });
  #updates = new Updates({ told: () => this.#tell("update", { ready: true }), sync: () => this.sync().catch(() => undefined) });
  version = VERSION;

  /// Reads who uses this phone and begins to open her profile; to be awaited once, before anything else. `patience` is
  /// for how many milliseconds a worker may be silent.
  start(how = {}) {
    this.#start(how).then(this.#begun, this.#failed);
    return this.#started;
  }

  async #start({ patience }) {
    await this.#updates.atStart();
    this.#patience = patience;
    try {
      this.#profiles = await Profiles.open();
      this.#record = await this.#profiles.current();
    } catch (error) {
      this.#storage("storage-gone");
      throw { ...refused("storage-gone"), sentence: String(error) };
    }
    addEventListener("online", () => this.#line());
    addEventListener("offline", () => this.#line());
    addEventListener("pageshow", () => this.#tabs?.look(isVisible()));
    addEventListener("pagehide", () => this.#tabs?.look(false));
    document.addEventListener("visibilitychange", () => {
      this.#tabs?.look(isVisible());
      if (isVisible()) this.#updates.look();
    });
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.#installQuestion = event;
      this.#tell("install", {});
    });
    this.#open();
  }

  /// Calls `fn` for each event of this name; gives a function that ends it.
  on(event, fn) {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(fn));
    return () => all.delete(fn);
  }

  #tell(event, value) {
    for (const fn of this.#listeners.get(event) ?? []) fn(value);
  }

  #open() {
    this.#locked = this.#record.pin !== null;
    this.#stopped = this.#whole = false;
    const { id } = this.#record;
    const keeper = new Keeper({
      patience: this.#patience,
      settings: () => ({
        profile: id, language: this.#record.language, online: navigator.onLine, visible: this.#tabs?.visible ?? isVisible(),
        installed: navigator.serviceWorker?.controller != null,
      }),
      told: (event) => {
        if (this.#keeper !== keeper) return;
        if (event.event === "opened") this.#opened();
        // Only then: what the service worker fetches would take the line from the core's second part.
        if (event.event === "whole") this.#updates.register();
        if (event.event === "broken" && event.code === "superseded") this.#tabs.lose();
        // The line is there: what others on this phone wrote goes out as well.
        if (event.event === "synced") this.#sendForOthers().catch(() => undefined);
        this.#tabs.share(event);
        this.#hear(event);
      },
    });
    this.#keeper = keeper;
    this.#tabs = new Tabs({
      profile: id, keeper, told: (event) => this.#hear(event), owns: () => this.#line(), seen: () => this.#line(),
    });
    this.#tabs.look(isVisible());
  }

  /// This tab's worker runs. The line may have come or gone while it opened.
  #opened() {
    this.#line();
    this.#nameProfile().catch(() => undefined);
    this.storage().catch(() => undefined);
  }

  /// What the owner's worker says, in every tab.
  #hear({ event, value, code, method, during }) {
    switch (event) {
      case "status":
        this.#stopped = value.stopped;
        this.#countUnsent(value.unsent ?? 0);
        this.#tell("status", value);
        break;
      case "changed":
        if (this.#full) {
          this.#full = false;
          this.storage().catch(() => undefined);
        }
        // Who joins is not known by name before the first documents came.
        if (!this.#record.household && !this.#locked) this.#nameProfile().catch(() => undefined);
        this.#tell("changed", {});
        break;
      case "loading":
        this.#tell("loading", value);
        break;
      case "whole":
        this.#whole = true;
        this.#tell("changed", {});
        break;
      case "broken":
        if (code === "storage-full") this.#full = true;
        if (STORAGE.has(code)) this.#storage(code);
        if (code === "trap" || code === "no-answer") this.#tell("trap", { method: method ?? null, during, stopped: this.#stopped });
        // What was shown may not have been kept.
        this.#tell("changed", {});
        break;
    }
  }

  #line() {
    if (this.#tabs?.isOwner) this.#keeper.say("line", { online: navigator.onLine, visible: this.#tabs.visible });
  }

  #countUnsent(unsent) {
    if (unsent === this.#record.unsent || !this.#tabs.isOwner) return;
    this.#keepRecord({ unsent }).catch(() => undefined);
    this.#updates.waiting(unsent);
  }

  async #sendForOthers() {
    if (this.#others === null) {
      const { Others } = await import("./others.js");
      this.#others ??= new Others({ profiles: () => this.#profiles, sent: () => this.#tell("profile", this.profile) });
    }
    await this.#others.send(this.#record.id, this.#record.language);
  }

  async #keepRecord(fields) {
    const { id } = this.#record;
    Object.assign(this.#record, fields);
    await this.#profiles.update(id, fields);
    this.#tell("profile", this.profile);
  }

  /// Copies the household's and the co-operative's names into the list of profiles.
  async #nameProfile() {
    const { id } = this.#record;
    const state = await this.#tabs.ask("call", { method: "state", args: {} });
    if (!state.enrolled || id !== this.#record.id) return;
    const [household, cooperative] = [state.householdName ?? "", state.cooperative ?? ""];
    const name = this.#record.name || household;
    if (household !== this.#record.household || cooperative !== this.#record.cooperative || name !== this.#record.name) {
      await this.#keepRecord({ household, cooperative, name });
    }
  }

  async #ask(what, args) {
    await this.#started;
    if (this.#locked) throw refused("locked");
    return this.#tabs.ask(what, args);
  }

  /// A method of the core. What it changed is durable when this resolves.
  call(method, args = {}) {
    return this.#ask("call", { method, args });
  }

  /// What an invitation is for, before it is used.
  look(link) {
    return this.#ask("look", { link });
  }

  /// Joins the co-operative.
  async enrol(link, name) {
    const outcome = await this.#ask("enrol", { link, name });
    // What a phone without a household is called in the list of who uses it.
    await this.#keepRecord({ name }).catch(() => undefined);
    await navigator.storage?.persist?.().catch(() => false);
    await this.#nameProfile().catch(() => undefined);
    this.#tell("changed", {});
    return outcome;
  }

  /// Syncs now, also when syncing by itself has stopped.
  sync() {
    return this.#ask("sync", {});
  }

  /// What the server does not have, as a file that another phone may carry.
  async exportOutbox() {
    return new Blob([await this.#ask("exportOutbox", {})], { type: "application/octet-stream" });
  }

  async importOutbox(file) {
    return this.#ask("importOutbox", { bytes: file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : file });
  }

  async #storage(code) {
    const state = await readStorage().catch(() => ({ usage: 0, quota: 0, persisted: false, nearlyFull: false }));
    this.#tell("storage", { code, full: this.#full, ...state });
    return state;
  }

  /// How much room the browser grants and what is used of it, in bytes.
  storage() {
    return this.#storage(null);
  }

  get profile() {
    return shown(this.#record);
  }

  async profiles() {
    return (await this.#profiles.list()).map(shown);
  }

  /// Makes a profile for another person; gives its id.
  async addProfile() {
    return (await this.#profiles.add(this.#record.language)).id;
  }

  async switchProfile(id) {
    if (id === this.#record.id) return;
    const record = await this.#profiles.makeCurrent(id);
    if (!record) throw refused("no-such-profile");
    this.#close();
    this.#record = record;
    this.#open();
    this.#tell("profile", this.profile);
    if (this.#locked) this.#tell("locked", {});
    this.#tell("changed", {});
  }

  #close() {
    this.#others?.stop();
    for (const entry of this.#keeper.stop()) entry.reject(refused("no-answer"));
    this.#tabs.close();
  }

  /// Removes a profile with all that only this phone has of it; refused while something was not sent, unless `force`.
  async removeProfile(id, { force = false } = {}) {
    if (id === this.#record.id) {
      if (this.#locked) throw refused("locked");
      const state = await this.call("state");
      if (state.enrolled) await this.call("leave", { force });
      const others = (await this.#profiles.list()).filter((other) => other.id !== id);
      await this.switchProfile(others[0]?.id ?? (await this.addProfile()));
    } else {
      const record = (await this.#profiles.list()).find((other) => other.id === id);
      if (record?.pin) throw refused("locked");
      if (record?.unsent > 0 && !force) throw refused("not-delivered");
    }
    await this.#profiles.remove(id);
    await removeStore(id);
    this.#tell("profile", this.profile);
  }

  /// True while the PIN is asked for.
  get locked() {
    return this.#locked;
  }

  /// Sets the PIN of this profile, or takes it away.
  async setPin(pin) {
    if (this.#locked) throw refused("locked");
    await this.#keepRecord({ pin: pin === null ? null : await makePin(pin) });
  }

  async unlock(pin) {
    if (!this.#locked) return { ok: true };
    const answer = await tryPin(this.#record.pin, pin, (kept) => this.#keepRecord({ pin: kept }));
    if (answer.ok) {
      this.#locked = false;
      this.#tell("locked", {});
      this.#tell("changed", {});
    }
    return answer;
  }

  /// Asks for the PIN again, where there is one.
  lock() {
    if (this.#record.pin === null || this.#locked) return;
    this.#locked = true;
    this.#tell("locked", {});
  }

  get preferences() {
    const { language, large, unit } = this.#record;
    return { language, large, unit };
  }

  /// True when both parts of the core are here, as they are at once where the app is installed.
  get isWhole() {
    return this.#whole || navigator.serviceWorker?.controller != null;
  }

  /// What pages keep of this profile: `names` as last known, the `draft` of a lot that is not recorded yet, and the announcement
  /// that was `heard` last.
  get kept() {
    const { names = null, draft = null, heard = "" } = this.#record ?? {};
    return { names, draft, heard };
  }

  async keep(fields) {
    Object.assign(this.#record, fields);
    await this.#profiles.update(this.#record.id, fields);
  }

  async setLanguage(code) {
    await this.#keepRecord({ language: code });
    await this.#tabs.ask("language", { code });
    this.#tell("changed", {});
  }

  /// Keeps `large` (letters) and `unit` ("jin" or "kg").
  async setPreferences(preferences) {
    const { large = this.#record.large, unit = this.#record.unit } = preferences;
    await this.#keepRecord({ large, unit });
  }

  /// A form with unsaved input was opened, or closed: a new version waits meanwhile.
  formOpen(open) {
    this.#updates.form(open);
  }

  async applyUpdate() {
    if (!(await this.#updates.apply())) throw refused("form-open");
  }

  /// True where the browser can be asked to install the app.
  get canInstall() {
    return this.#installQuestion !== null;
  }

  get installed() {
    return matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
  }

  /// Shows the browser's question; true when the person agreed.
  async install() {
    const question = this.#installQuestion;
    this.#installQuestion = null;
    if (!question) return false;
    await question.prompt();
    return (await question.userChoice).outcome === "accepted";
  }
}

export const core = new Core();
