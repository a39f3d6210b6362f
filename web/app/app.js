// The app's root: starts core, routing and settings, and shows the page of the address: the lock before all others, the first
// start while this profile belongs to no co-operative.
import { core } from "./core.js";
import { html, render, useLayoutEffect, useReducer } from "./lib/preact-htm.js";
import { t } from "./words.js";
import { faultSentence, homeOf } from "./parts/frame.js";
import { startPhone, tell, usePhone } from "./parts/phone.js";
import { Sign } from "./parts/pictures.js";
import { onRoute, route, startRouting } from "./parts/route.js";
import { startSaying } from "./parts/say.js";
import { onSettings, show } from "./parts/settings.js";
import { Kept } from "./pages/kept.js";
import { People } from "./pages/people.js";
import { Choose, Weigh } from "./pages/record.js";
import { Start } from "./pages/start.js";
import { For } from "./pages/whom.js";
import { profileId } from "./parts/profile.js";

/** A phone left on the table for so long asks for the PIN again. */
const LOCK_AFTER_MS = 120_000;

/** Pages that the first harvest needs not: they come behind, or when one of them is asked for. */
const BEHIND = {
  correct: () => import("./pages/correct.js"), handover: () => import("./pages/handover.js"), harvest: () => import("./pages/harvest.js"),
  leave: () => import("./pages/leave.js"), lock: () => import("./pages/lock.js"), lot: () => import("./pages/lot.js"),
  owed: () => import("./pages/owed.js"), prices: () => import("./pages/prices.js"), questions: () => import("./pages/questions.js"),
  receive: () => import("./pages/receive.js"), settings: () => import("./pages/settings.js"), status: () => import("./pages/status.js"),
};
const come = {};
const coming = {};

/** Fetches a page's module, once; draws anew when it is here, or says that it did not come. */
function fetchPage(file) {
  coming[file] ??= BEHIND[file]().then((module) => { come[file] = module; tell(); }, () => {
    come[file] = { lacks: true };
    tell();
  });
}

/** A page that comes behind; until then, that it is under way. */
function page(file, name) {
  if (!come[file]) fetchPage(file);
  return come[file]?.lacks ? NotCome : come[file]?.[name] ?? Waiting;
}

const PAGES = {
  // An invitation that comes to a phone with people on it is for one more of them.
  start: () => People,
  record: ([, step]) => (step === "weigh" ? Weigh : Choose),
  for: () => For,
  kept: () => Kept,
  harvest: () => page("harvest", "Harvest"),
  lot: ([, , what]) => (what === "correct" ? page("correct", "Correct") : page("lot", "Lot")),
  prices: () => page("prices", "Prices"),
  owed: () => page("owed", "Owed"),
  questions: () => page("questions", "Questions"),
  status: () => page("status", "Status"),
  settings: () => page("settings", "Settings"),
  people: () => People,
  handover: () => page("handover", "Handover"),
  leave: () => page("leave", "Leave"),
  receive: ([, lot]) => page("receive", lot ? "WeighIn" : "Receive"),
};

// How much of the core has come, the first time: on a slow line that takes minutes, and a still picture looks broken.
function Waiting() {
  const { loading } = usePhone();
  return html`<div class="opening"><${Sign} /><p class=${loading ? "" : "heard"} role="status">${t(loading ? "loading" : "opening")}</p>
    ${loading && html`<progress value=${loading.done} max=${loading.of} aria-label=${t("loading")}></progress>`}</div>`;
}

function NotCome() {
  return html`<${Broken} error=${{ code: "not-whole", field: null, sentence: "" }} />`;
}

function Broken({ error }) {
  return html`<main class="opening"><${Sign} /><h1>${t("not-open")}</h1><p>${faultSentence(error)}</p><p>${t("not-open-more")}</p>
    <button type="button" class="main" onClick=${() => location.reload()}>${t("again")}</button></main>`;
}

function Root() {
  const { ready, broken, state, locked } = usePhone();
  const [, again] = useReducer((count) => count + 1, 0);
  useLayoutEffect(() => { onRoute(again); onSettings(again); }, []);
  if (broken && !ready) return html`<${Broken} error=${broken} />`;
  if (!ready) return html`<${Waiting} />`;
  if (locked) return html`<${page("lock", "Lock")} />`;
  const { parts } = route();
  if (!state.enrolled && parts[0] !== "people" && parts[0] !== "settings") return html`<${Start} key=${profileId()} parts=${parts} />`;
  const known = PAGES[parts[0]] && (parts[0] !== "receive" || state.canReceive) ? parts : homeOf(state).split("/").filter(Boolean);
  const shown = PAGES[known[0]](known);
  return html`<${shown} key=${`${profileId()}/${known.join("/")}`} parts=${known} />`;
}

// The lock closes behind a phone that was laid aside.
let hiddenSince = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenSince = Date.now();
  else if (hiddenSince && Date.now() - hiddenSince > LOCK_AFTER_MS) core.lock();
});

show();
startSaying();
startRouting();
const place = document.getElementById("app");
place.textContent = "";
render(html`<${Root} />`, place);
startPhone().then(() => Object.keys(BEHIND).forEach(fetchPage));
