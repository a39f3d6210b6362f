// Which page is open, as the address's fragment (`#/lot/7KQ2-…`), so that the phone's back button works. An invitation's
// code comes as a fragment too, `#7KQ2-M9XT-4B0F`: it is taken at once, and removed from address and history.

const CODE_KEY = "granary.code";
const listeners = new Set();
let current = { parts: [], query: new URLSearchParams() };
let fresh = false;

function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query ?? "") };
}

function moved() {
  const fragment = location.hash.slice(1);
  if (fragment && !fragment.startsWith("/")) {
    keepCode(unescaped(fragment));
    fresh = true;
    history.replaceState({ depth: history.state?.depth ?? 0 }, "", "#/start");
  }
  try { current = parse(location.hash); } catch { current = parse("#/"); }
  for (const listener of listeners) listener();
}

function unescaped(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** Whether a code has just come by the address; told once. */
export function codeCame() {
  const came = fresh;
  fresh = false;
  return came;
}

export const route = () => current;
export const onRoute = (listener) => { listeners.add(listener); };

export function go(path, { replace = false } = {}) {
  const depth = (history.state?.depth ?? 0) + (replace ? 0 : 1);
  history[replace ? "replaceState" : "pushState"]({ depth }, "", `#${path}`);
  moved();
}

/** One page back; to `otherwise` where this page was the first. */
export function back(otherwise) {
  if (history.state?.depth > 0) history.back();
  else go(otherwise, { replace: true });
}

export function startRouting() {
  addEventListener("popstate", moved);
  moved();
}

// A code survives a reload and the way through another profile, until it is used or wiped.
export function keepCode(code) {
  try { sessionStorage.setItem(CODE_KEY, code); } catch { /* Typed again after a reload. */ }
}
export function keptCode() {
  try { return sessionStorage.getItem(CODE_KEY) ?? ""; } catch { return ""; }
}
export function dropCode() {
  try { sessionStorage.removeItem(CODE_KEY); } catch { /* Was not kept. */ }
}
