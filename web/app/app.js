// The app's root: starts core, routing and settings, and shows the page of the address: the lock before all others, the first
// start while this profile belongs to no co-operative.
import { core } from "./core.js";
import { html, render, useLayoutEffect, useReducer } from "./lib/preact-htm.js";
import { t } from "./words.js";
import { faultSentence, homeOf } from "./parts/frame.js";
import { startPhone, usePhone } from "./parts/phone.js";
import { Sign } from "./parts/pictures.js";
import { onRoute, route, startRouting } from "./parts/route.js";
import { startSaying } from "./parts/say.js";
import { onSettings, show } from "./parts/settings.js";
import { Correct } from "./pages/correct.js";
import { Handover } from "./pages/handover.js";
import { Harvest } from "./pages/harvest.js";
import { Kept } from "./pages/kept.js";
import { Leave } from "./pages/leave.js";
import { Lock } from "./pages/lock.js";
import { Lot } from "./pages/lot.js";
import { Owed } from "./pages/owed.js";
import { People } from "./pages/people.js";
import { Prices } from "./pages/prices.js";
import { Questions } from "./pages/questions.js";
import { Receive, WeighIn } from "./pages/receive.js";
import { Choose, Weigh } from "./pages/record.js";
import { Settings } from "./pages/settings.js";
import { Start } from "./pages/start.js";
import { Status } from "./pages/status.js";
import { For } from "./pages/whom.js";
import { profileId } from "./parts/profile.js";

/** A phone left on the table for so long asks for the PIN again. */
const LOCK_AFTER_MS = 120_000;

const PAGES = {
  // An invitation that comes to a phone with people on it is for one more of them.
  start: () => People,
  record: ([, step]) => (step === "weigh" ? Weigh : Choose),
  for: () => For,
  kept: () => Kept,
  harvest: () => Harvest,
  lot: ([, , what]) => (what === "correct" ? Correct : Lot),
  prices: () => Prices,
  owed: () => Owed,
  questions: () => Questions,
  status: () => Status,
  settings: () => Settings,
  people: () => People,
  handover: () => Handover,
  leave: () => Leave,
  receive: ([, lot]) => (lot ? WeighIn : Receive),
};

// How much of the core has come, the first time: on a slow line that takes minutes, and a still picture looks broken.
function Waiting() {
  const { loading } = usePhone();
  return html`<div class="opening"><${Sign} /><p class=${loading ? "" : "heard"} role="status">${t(loading ? "loading" : "opening")}</p>
    ${loading && html`<progress value=${loading.done} max=${loading.of} aria-label=${t("loading")}></progress>`}</div>`;
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
  if (locked) return html`<${Lock} />`;
  const { parts } = route();
  if (!state.enrolled && parts[0] !== "people" && parts[0] !== "settings") return html`<${Start} key=${profileId()} parts=${parts} />`;
  const known = PAGES[parts[0]] ? parts : homeOf(state).split("/").filter(Boolean);
  const page = PAGES[known[0]](known);
  return html`<${page} key=${`${profileId()}/${known.join("/")}`} parts=${known} />`;
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
startPhone();
