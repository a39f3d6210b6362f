// The lock by PIN. It keeps curious eyes out of a phone that lies on a table; it is no encryption: the rows are kept
// open, and who can read the phone's memory can read them. So it guards what is shown, and syncing goes on behind it.

/// Slow enough that the 10,000 short PINs take a day on a phone.
const ITERATIONS = 300_000;
/// Wrong tries before the first wait.
const FREE_TRIES = 4;
const WAIT_MIN_MILLIS = 15_000;
const WAIT_MAX_MILLIS = 15 * 60_000;

async function derive(pin, salt, iterations) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256));
}

/// What is kept of a new PIN.
export async function makePin(pin) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { salt, iterations: ITERATIONS, hash: await derive(pin, salt, ITERATIONS), tries: 0, waitUntil: 0 };
}

/// How long to wait after this many wrong tries in a row.
function waitAfter(tries) {
  if (tries < FREE_TRIES) return 0;
  return Math.min(WAIT_MIN_MILLIS * 2 ** (tries - FREE_TRIES), WAIT_MAX_MILLIS);
}

/// Tries a PIN. `keep` keeps the changed record: a wrong try counts before it is answered, so that a reload in between
/// gains nothing. Gives `{ok: true}` or `{ok: false, waitMillis}`.
export async function tryPin(kept, pin, keep, now = Date.now()) {
  // A clock that was set back must not lock the person out for longer than the longest wait.
  const wait = Math.min(kept.waitUntil - now, WAIT_MAX_MILLIS);
  if (wait > 0) return { ok: false, waitMillis: wait };
  const tries = kept.tries + 1;
  await keep({ ...kept, tries, waitUntil: now + waitAfter(tries) });
  const hash = await derive(pin, kept.salt, kept.iterations);
  const same = hash.reduce((differs, byte, index) => differs | (byte ^ kept.hash[index]), 0) === 0;
  if (!same) return { ok: false, waitMillis: waitAfter(tries) };
  await keep({ ...kept, tries: 0, waitUntil: 0 });
  return { ok: true };
}
