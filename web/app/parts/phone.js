// What the pages know of the phone under them: state, status, catalogue and storage as the core told them last, kept fresh by
// its events. Pages read it with `usePhone` and ask for lists with `useCall`; nothing here decides anything.
import { core } from "../core.js";
import { useEffect, useLayoutEffect, useReducer, useState } from "../lib/preact-htm.js";
import { readSettings, settings } from "./settings.js";

export const phone = {
  ready: false, broken: null, state: null, status: null, catalogue: null, storage: null,
  /** Who uses this phone, as the list of people has it. */
  profiles: [],
  /** Lots of which two phones wrote one field differently; asked with the rest, so that no page moves when it comes. */
  split: null,
  online: navigator.onLine !== false, update: false, locked: false, loading: null,
  /** Rises when the core's documents changed; lists ask again. */
  version: 0,
};

const listeners = new Set();
export function tell(some = {}) {
  Object.assign(phone, some);
  for (const listener of listeners) listener();
}

export function usePhone() {
  const [, again] = useReducer((count) => count + 1, 0);
  // Before the paint: what is told right after the first drawing must not be missed.
  useLayoutEffect(() => {
    listeners.add(again);
    return () => { listeners.delete(again); };
  }, []);
  return phone;
}

// Several events while one question is under way are one more question.
function coalesced(work) {
  let running = false;
  let wanted = false;
  return async function run() {
    if (running) { wanted = true; return; }
    running = true;
    do {
      wanted = false;
      try { await work(); } catch (error) { tell({ broken: phone.ready ? phone.broken : error }); }
    } while (wanted);
    running = false;
  };
}

async function readStatus() {
  if (!core.locked) tell({ status: await core.call("status", {}) });
}

/** A phone that was shut out has no catalogue any more: what is on it keeps its last known names, and nothing new is recorded of it. */
function withNames(catalogue) {
  const { products, places, villages } = catalogue;
  if (products.length === 0) return { ...catalogue, ...core.kept.names };
  const named = products.map(({ code, nameZh, nameEn }) => ({ code, nameZh, nameEn, grades: [], prices: [], usual: 0, offered: false }));
  const names = { products: named, places, villages };
  if (JSON.stringify(names) !== JSON.stringify(core.kept.names)) core.keep({ names }).catch(() => { /* Kept another time. */ });
  return catalogue;
}

async function readAll() {
  if (core.locked) {
    tell({ locked: true, ready: true, state: null, status: null, catalogue: null, split: null });
    return;
  }
  const [state, status] = [await core.call("state", {}), await core.call("status", {})];
  const catalogue = state.enrolled ? withNames(await core.call("catalogue", {})) : null;
  const profiles = await core.profiles();
  // The core's first part reads no such filter.
  const split = state.enrolled && core.isWhole ? await core.call("lots", { onlyFieldConflicts: true, limit: 1 }) : null;
  tell({ state, status, catalogue, split, profiles, locked: false, ready: true, broken: null, version: phone.version + 1 });
}

export const refresh = coalesced(readAll);
const refreshStatus = coalesced(readStatus);
export const refreshStorage = coalesced(async () => { await core.storage(); });

export async function startPhone() {
  core.on("loading", (loading) => tell({ loading }));
  core.on("status", refreshStatus);
  core.on("changed", refresh);
  core.on("update", () => tell({ update: true }));
  core.on("storage", (storage) => tell({ storage }));
  core.on("locked", refresh);
  core.on("install", () => tell());
  core.on("profile", async () => { readSettings(); tell({ profiles: await core.profiles() }); });
  core.on("trap", refresh);
  for (const name of ["online", "offline"]) addEventListener(name, () => tell({ online: navigator.onLine !== false }));
  try {
    await core.start();
  } catch (error) {
    tell({ broken: error });
    return;
  }
  readSettings();
  await refresh();
  refreshStorage();
}

/** A page with what is typed and not kept: a new version waits while it is open. */
export function useForm() {
  useEffect(() => {
    core.formOpen(true);
    return () => core.formOpen(false);
  }, []);
}

/** The core's answer to a question, if there is one, asked again when its documents changed: `{value, error}`. Keeps what was shown meanwhile. */
export function useCall(method, args) {
  const { version } = usePhone();
  const [answer, setAnswer] = useState({ value: undefined, error: null });
  const asked = JSON.stringify(args);
  useEffect(() => {
    if (!method) return undefined;
    let wanted = true;
    core.call(method, args).then(
      (value) => wanted && setAnswer({ value, error: null }),
      (error) => wanted && setAnswer((before) => ({ ...before, error })),
    );
    return () => { wanted = false; };
  }, [method, asked, version]);
  return answer;
}

/** Work that a button starts: `[busy, error, run, clear]`; `run` gives what the work gave, or undefined after an error. */
export function useWork() {
  const [{ busy, error }, set] = useState({ busy: false, error: null });
  async function run(work) {
    set({ busy: true, error: null });
    try {
      const value = await work();
      set({ busy: false, error: null });
      return value === undefined ? null : value;
    } catch (fault) {
      set({ busy: false, error: fault });
      return undefined;
    }
  }
  const clear = () => { if (error) set({ busy, error: null }); };
  return [busy, error, run, clear];
}

export const nameOf = (product) => (settings.language === "zh" ? product.nameZh : product.nameEn) || product.nameZh || product.code;
export function productName(code) {
  const product = phone.catalogue?.products.find((one) => one.code === code);
  return product ? nameOf(product) : code;
}
/** A village by its name where the co-operative's document has it. */
export const villageName = (village) => phone.catalogue?.villages?.find((one) => one.code === village)?.name ?? village;
/** A place by its name where the catalogue has it; else as it was written. */
export const placeName = (place) => phone.catalogue?.places.find((one) => one.code === place)?.name ?? place;
