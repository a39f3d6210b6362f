// What is typed and not yet kept, in sessionStorage by profile: it survives a reload, a switch of tabs and an update. The figure of a
// lot lies in the profile too, so that it survives the browser's end.
import { core } from "../core.js";
import { useState } from "../lib/preact-htm.js";
import { phone } from "./phone.js";
import { profileId } from "./profile.js";

const keyOf = (name) => `granary.draft.${profileId()}.${name}`;

/** The draft that outlives the browser. */
const LASTING = "record";

function keepLasting(name, value) {
  if (name !== LASTING) return;
  // Today is another day when she comes back.
  const draft = value?.text ? { ...value, day: value.day || phone.state?.today } : null;
  if (draft || core.kept.draft) core.keep({ draft }).catch(() => { /* Lives until the browser is closed. */ });
}

export function readDraft(name) {
  const lasting = name === LASTING ? core.kept.draft : null;
  try { return JSON.parse(sessionStorage.getItem(keyOf(name))) ?? lasting; } catch { return lasting; }
}

function writeDraft(name, value) {
  keepLasting(name, value);
  try { sessionStorage.setItem(keyOf(name), JSON.stringify(value)); } catch { /* Lives until the page is left. */ }
}

export function dropDraft(name) {
  keepLasting(name, null);
  try { sessionStorage.removeItem(keyOf(name)); } catch { /* Was not kept. */ }
}

/** Another draft in the place of the one that is there, for the page that opens next. */
export const beginDraft = (name, value) => writeDraft(name, value);

/** Drafts that were begun and left for another one, the latest last, for as long as the page's session. */
const PARKED_MAX = 8;
const parkedOf = (name) => readDraft(`${name}.parked`) ?? [];
export const parkDraft = (name, value) => writeDraft(`${name}.parked`, [...parkedOf(name), value].slice(-PARKED_MAX));

/** Takes out the latest of them that fits; undefined where none does. */
export function unparkDraft(name, fits) {
  const parked = parkedOf(name);
  const found = parked.findLast(fits);
  if (found) writeDraft(`${name}.parked`, parked.filter((one) => one !== found));
  return found;
}

/** A draft as a page's state: `[draft, change(some), drop()]`. */
export function useDraft(name, initial) {
  const [draft, setDraft] = useState(() => ({ ...initial, ...readDraft(name) }));
  const change = (some) => setDraft((before) => {
    const after = { ...before, ...some };
    writeDraft(name, after);
    return after;
  });
  const drop = () => { dropDraft(name); setDraft(initial); };
  return [draft, change, drop];
}

/** Everything that a profile typed and did not keep. */
export function dropDrafts(profile) {
  try {
    const mine = `granary.draft.${profile}.`;
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(mine)) sessionStorage.removeItem(key);
  } catch { /* Was not kept. */ }
}
