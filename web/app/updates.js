// The service worker as the page sees it: registered once the phone works, so that its downloads don't compete with the
// first start; a new version that waits is told, and applied at the next start or when the person asks, never while a
// form with unsaved input is open in any tab.

/// How long other tabs have to object, in milliseconds.
const OBJECT_MILLIS = 300;
const APPLY_MILLIS = 5_000;
/// A page that stays open looks for a new version this often.
const LOOK_MILLIS = 12 * 3600_000;

export class Updates {
  #forms = 0;
  #reloadLater = false;
  #registration = null;
  #channel = new BroadcastChannel("granary-update");
  #objected = null;
  #looked = 0;

  /// `told()` hears that a new version waits; `sync()` that the browser woke the app to send what waits.
  constructor({ told, sync }) {
    this.told = told;
    this.#channel.onmessage = ({ data }) => {
      if (data === "may-I?" && this.#forms > 0) this.#channel.postMessage("not-now");
      if (data === "not-now") this.#objected?.();
    };
    if (!navigator.serviceWorker) return;
    navigator.serviceWorker.addEventListener("message", ({ data }) => data === "sync" && sync());
    // All tabs must run one version: this one, too, begins again with the new files.
    const first = !navigator.serviceWorker.controller;
    let controlled = !first;
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (controlled) this.#reload();
      controlled = true;
    });
  }

  #reload() {
    if (this.#forms > 0) this.#reloadLater = true;
    else location.reload();
  }

  /// A form with unsaved input was opened, or closed.
  form(open) {
    this.#forms = Math.max(0, this.#forms + (open ? 1 : -1));
    if (this.#forms === 0 && this.#reloadLater) location.reload();
  }

  /// Applies what waits, before anything is shown.
  async atStart() {
    // A page that was loaded past the service worker has the new files already.
    if (!navigator.serviceWorker?.controller) return;
    const registration = await navigator.serviceWorker.getRegistration();
    if (!registration?.waiting || !(await this.#nobodyObjects())) return;
    registration.waiting.postMessage("apply");
    // The page ends here, unless the new version can't be made active.
    await new Promise((resolve) => setTimeout(resolve, APPLY_MILLIS));
  }

  /// Registers the service worker.
  async register() {
    if (!navigator.serviceWorker) return;
    const registration = await navigator.serviceWorker.register(new URL("sw.js", import.meta.url)).catch(() => null);
    if (!registration) return;
    this.#registration = registration;
    this.#looked = Date.now();
    const watch = (worker) => worker?.addEventListener("statechange", () => this.#tell());
    watch(registration.installing);
    registration.addEventListener("updatefound", () => watch(registration.installing));
    this.#tell();
  }

  #tell() {
    if (this.ready) this.told();
  }

  /// True when a new version waits.
  get ready() {
    return this.#registration?.waiting != null && navigator.serviceWorker.controller != null;
  }

  /// Looks for a new version now and then.
  look() {
    if (!this.#registration || Date.now() - this.#looked < LOOK_MILLIS) return;
    this.#looked = Date.now();
    this.#registration.update().catch(() => undefined);
  }

  async #nobodyObjects() {
    if (this.#forms > 0) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), OBJECT_MILLIS);
      this.#objected = () => {
        clearTimeout(timer);
        resolve(false);
      };
      this.#channel.postMessage("may-I?");
    });
  }

  /// Applies the version that waits; the page is loaded anew. False while a form is open.
  async apply() {
    if (!this.ready) return true;
    if (!(await this.#nobodyObjects())) return false;
    this.#registration.waiting?.postMessage("apply");
    return true;
  }

  /// Shows how much waits on the app's icon, and asks the browser to wake the app when the line returns.
  waiting(unsent) {
    if (unsent > 0) {
      navigator.setAppBadge?.(unsent).catch(() => undefined);
      this.#registration?.sync?.register("outbox").catch(() => undefined);
    } else {
      navigator.clearAppBadge?.().catch(() => undefined);
    }
  }
}
