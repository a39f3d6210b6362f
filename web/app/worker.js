// The worker of one profile: it alone runs the core and writes the store. Calls run one at a time in order; what a call
// wrote is durable before the call is answered. A worker whose core trapped or whose store refused a write is of no use
// any more: what is in its memory is not what is kept. It says so, answers nothing further, and the page starts another.

import { Loader } from "./wasm/granary_web.js";
import { forgetKey, openKey } from "./keys.js";
import { drive } from "./line.js";
import { ProfileStore } from "./store.js";
import { Syncing } from "./syncing.js";
import { addTraffic, readTraffic } from "./traffic.js";
import { Whole } from "./whole.js";

let phone = null;
let store = null;
let syncing = null;
let month = null;
/// Why this worker is of no use any more.
let dead = null;
let queue = Promise.resolve();
const whole = new Whole(() => postMessage({ event: "whole" }));

const failure = (code, sentence = "") => ({ code, field: null, sentence });

/// Ends this worker's use. The page is told once, with the call of it that is to be refused.
function die(code, { method = null, during = "call", id = null }, why) {
  if (dead) return;
  dead = failure(code);
  syncing?.stop();
  whole.stop();
  store?.close();
  console.error(`the phone's worker ends: ${code} in ${method}: ${why}`);
  postMessage({ event: "dead", code, method, during, id });
}

/// An error that the core or the store gave on purpose; null for any other.
function asFailure(error) {
  if (typeof error?.code === "string") return failure(error.code, error.sentence);
  try {
    const { code, field = null, sentence = "" } = JSON.parse(error.message);
    return { code, field, sentence };
  } catch {
    return null;
  }
}

/// Runs `job` on the core after all that was asked before, and makes durable what it wrote. `asked` says for what:
/// `method`, `during` ("call" or "sync"), `id` (the page's name of the call), and `answer`, which makes of the job's
/// value what is kept as the call's answer.
function turn(job, asked = {}) {
  const done = queue.then(async () => {
    if (dead) throw dead;
    let value;
    let writes;
    try {
      value = job();
      writes = phone.takeWrites();
    } catch (error) {
      if (asFailure(error)) throw error;
      // A trap: the core is in no state to go on. One of half a core may be for want of the rest, and says nothing yet.
      if (asked.during === "sync" && whole.isHere) await syncing.trapped().catch(() => undefined);
      die(whole.isHere ? "trap" : "not-whole", asked, String(error?.stack ?? error));
      throw dead;
    }
    if (writes.length > 0) {
      try {
        if (asked.answer) await store.write(writes, asked.id, asked.answer(value));
        else await store.write(writes);
      } catch (error) {
        die(error.code ?? "storage", asked, String(error));
        throw dead;
      }
      postMessage({ event: "changed" });
      if (asked.answer) syncing?.edited();
      tellStatus();
    }
    return value;
  });
  queue = done.catch(() => undefined);
  return done;
}

/// One call of the core, as `{ok}` or `{error}`.
async function call(method, args, id, again) {
  await whole.until(method);
  const json = JSON.stringify({ ...args, method });
  const before = again ? await store.answered(id) : undefined;
  const answer = before ?? JSON.parse(await turn(() => phone.call(json), { method, id, answer: JSON.parse }));
  if (method === "leave" && answer.ok !== undefined) await forgetKey(store);
  if (method === "status" && answer.ok) Object.assign(answer.ok, syncing.state(), { month });
  return answer;
}

/// A piece of work that is signed and sent.
async function carryOut(kind, args, { id = null, bytes, take = () => undefined } = {}) {
  await whole.until(kind);
  const key = await openKey(store);
  const during = kind === "sync" ? "sync" : "call";
  const step = (job) => turn(job, { method: kind, during, id });
  const { origin } = location;
  const all = kind === "enrol" ? { ...args, origin, key: base64(key.publicKey) } : { ...args, origin };
  const work = await step(() => phone.begin(kind, JSON.stringify(all), bytes));
  try {
    const outcome = await drive(work, { turn: step, sign: key.sign, traffic: (up, down) => { month = addTraffic(month, up, down); } });
    return { outcome, taken: outcome.ok === undefined ? undefined : await step(() => take(work)) };
  } finally {
    if (!dead) {
      await step(() => work.free?.()).catch(() => undefined);
      if (!dead && kind !== "listen" && kind !== "outbox") await store.keepNote("traffic", month).catch(() => undefined);
    }
  }
}

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

async function open({ profile, language, online, visible, failures, hung, installed, needsWhole }) {
  const loading = (value) => postMessage({ event: "loading", value });
  const [opened] = await Promise.all([ProfileStore.open(profile), whole.first(installed, loading)]);
  // An installed app has both parts: what a phone must do at opening, as after its grants have changed, may need the second.
  if (needsWhole) await whole.come();
  else if (installed) await whole.come().catch(() => undefined);
  store = opened.store;
  store.onGone = () => die("storage-gone", {}, "the browser closed it");
  const loader = new Loader();
  for (const [key, value] of opened.rows) loader.put(key, value);
  phone = loader.open(language);
  month = await readTraffic(store);
  syncing = new Syncing({ store, run: () => sync(), greet, told: tellStatus, online, visible, failures });
  await syncing.open(hung);
  // What opening wrote must be durable before anything builds on it.
  await turn(() => undefined, { method: "open", during: "open" });
  if (await isEnrolled()) syncing.start();
  tellStatus();
  return {};
}

async function isEnrolled() {
  return JSON.parse(await turn(() => phone.call('{"method":"state"}'))).ok?.enrolled === true;
}

async function greet() {
  const { taken } = await carryOut("listen", {}, { take: (work) => work.bytes() });
  return taken ?? null;
}

/// One sync's outcome.
async function sync() {
  try {
    const { outcome } = await carryOut("sync", {});
    if (outcome.ok !== undefined) postMessage({ event: "synced" });
    return outcome;
  } catch (error) {
    return { error: asFailure(error) ?? failure("storage", String(error)) };
  }
}

let telling = false;
/// Tells the page the status soon; many causes at once are told once.
function tellStatus() {
  if (telling || dead || !phone) return;
  telling = true;
  setTimeout(async () => {
    telling = false;
    const status = await call("status", {}).catch(() => null);
    if (status?.ok && !dead) postMessage({ event: "status", value: status.ok });
  }, 0);
}

const wanted = {
  open,
  call: ({ method, args }, id, again) => call(method, args, id, again),
  look: async ({ link }, id) => (await carryOut("look", { link }, { id })).outcome,
  enrol: async ({ link, name }, id) => {
    const { outcome } = await carryOut("enrol", { link, name }, { id });
    if (outcome.ok !== undefined) syncing.start({ reached: true });
    return outcome;
  },
  sync: () => syncing.now(),
  exportOutbox: async (_, id) => {
    const { outcome, taken } = await carryOut("outbox", {}, { id, take: (work) => work.bytes() });
    return taken === undefined ? outcome : { ok: taken };
  },
  importOutbox: async ({ bytes }, id) => {
    const { outcome } = await carryOut("import", {}, { id, bytes });
    return outcome;
  },
  line: ({ online, visible }) => {
    syncing?.line(online, visible);
    if (online && phone && !whole.isHere) whole.come();
    return {};
  },
  language: async ({ code }) => {
    await turn(() => phone.language(code));
    return {};
  },
};

onmessage = async ({ data: { n, what, args = {}, id = null, again = false } }) => {
  // A worker that answers this is not stuck in the core.
  if (what === "ping") {
    postMessage({ pong: n });
    return;
  }
  try {
    const answer = (await wanted[what](args, id, again)) ?? {};
    postMessage(answer.error ? { n, error: answer.error } : { n, ok: answer.ok ?? null });
  } catch (error) {
    const trapped = what === "open" && error instanceof WebAssembly.RuntimeError && !whole.isHere;
    const told = asFailure(error) ?? failure(trapped ? "not-whole" : "storage", String(error?.message ?? error));
    if (what === "open") die(told.code, { method: what, id }, String(error?.stack ?? error));
    postMessage({ n, error: told });
  }
};
