// What is typed and not yet kept, in sessionStorage by profile: it survives a reload, a switch of tabs and an update.
import { useState } from "../lib/preact-htm.js";
import { profileId } from "./profile.js";

const keyOf = (name) => `granary.draft.${profileId()}.${name}`;

export function readDraft(name) {
  try { return JSON.parse(sessionStorage.getItem(keyOf(name))); } catch { return null; }
}

function writeDraft(name, value) {
  try { sessionStorage.setItem(keyOf(name), JSON.stringify(value)); } catch { /* Lives until the page is left. */ }
}

export function dropDraft(name) {
  try { sessionStorage.removeItem(keyOf(name)); } catch { /* Was not kept. */ }
}

/** Another draft in the place of the one that is there, for the page that opens next. */
export const beginDraft = (name, value) => writeDraft(name, value);

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
