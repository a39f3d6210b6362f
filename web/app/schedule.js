// Decides when to sync, by the rules of the native phone's scheduler (client-core, sync/scheduler.rs): after an edit,
// gathered for a moment, when the line returns or somebody looks again, on a nudge, every quarter of an hour, and after a
// failure with a growing wait. At most one sync runs. Clock, randomness and timer are arguments.

/// Edits are gathered this long before they are sent, in milliseconds.
export const GATHER_MILLIS = 1_500;
/// An idle phone asks the server this often, in milliseconds.
export const IDLE_MILLIS = 15 * 60_000;
const BACKOFF_MIN_MILLIS = 5_000;
const BACKOFF_MAX_MILLIS = 15 * 60_000;

/// The wait after the `failures`-th failure in a row: doubled each time, and up to half as much again at random, so
/// that the phones of a village don't all come back in one second. `random` is from 0 to 1.
export function backoff(failures, random) {
  const wait = Math.min(BACKOFF_MIN_MILLIS * 2 ** (failures - 1), BACKOFF_MAX_MILLIS);
  return Math.min(Math.round(wait * (1 + random / 2)), BACKOFF_MAX_MILLIS);
}

export class Schedule {
  #due = null;
  #running = false;
  #again = false;
  #failures = 0;
  #online = true;
  #visible = true;
  #timer = null;

  /// `run` starts a sync, and calls `succeeded`, `failed` or `hopeless` when it ends. `told` hears of a new due time.
  constructor({ run, told = () => undefined, now = Date.now, random = Math.random, timers = globalThis }) {
    Object.assign(this, { run, told, now, random, timers });
  }

  /// When the next sync begins; null when only an event can begin one.
  get next() {
    return this.#running || !this.#online ? null : this.#due;
  }

  get running() {
    return this.#running;
  }

  edited() {
    // After a failure an edit waits for the next try.
    this.#request(this.#failures > 0 ? null : this.now() + GATHER_MILLIS);
  }

  nudged() {
    this.#request(this.now());
  }

  /// A person asked, or the line returned.
  asked() {
    this.#online = true;
    this.#failures = 0;
    this.#request(this.now());
  }

  offline() {
    this.#online = false;
    this.#arm();
  }

  /// Somebody looks at the app, or nobody does any more.
  seen(visible) {
    const came = visible && !this.#visible;
    this.#visible = visible;
    if (came) this.#request(this.now());
    else this.#arm();
  }

  succeeded() {
    this.#end(this.now() + (this.#again ? GATHER_MILLIS : IDLE_MILLIS));
    this.#failures = 0;
  }

  failed() {
    this.#failures += 1;
    this.#end(this.now() + backoff(this.#failures, this.random()));
  }

  /// It will fail until a person acts.
  hopeless() {
    this.#end(null);
  }

  /// Goes on as after this many failures in a row.
  resume(failures) {
    this.#failures = failures - 1;
    this.failed();
  }

  /// Ends for good.
  stop() {
    this.timers.clearTimeout(this.#timer);
    this.#due = null;
    this.#online = false;
  }

  #end(due) {
    this.#running = false;
    this.#due = due;
    this.#arm();
  }

  #request(when) {
    if (this.#running) this.#again = true;
    else if (when !== null) this.#due = Math.min(this.#due ?? when, when);
    this.#arm();
  }

  #arm() {
    this.timers.clearTimeout(this.#timer);
    this.told();
    if (this.next === null) return;
    // A clock that was set back must not defer a sync by more than the idle interval.
    const wait = Math.min(Math.max(this.#due - this.now(), 0), IDLE_MILLIS);
    // Timers count on while a phone sleeps in some browsers and stand still in others: looked at once a minute.
    this.#timer = this.timers.setTimeout(() => this.#look(), Math.min(wait, 60_000));
  }

  #look() {
    if (this.next === null) return;
    if (this.#due > this.now() && this.#due - this.now() <= IDLE_MILLIS) {
      this.#arm();
      return;
    }
    this.#running = true;
    this.#again = false;
    this.#due = null;
    this.told();
    this.run();
  }
}
