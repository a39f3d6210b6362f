// The frame of every page: its title and way back, the line that says where the records are, the one main action at the thumb's
// height, and the tabs. The line is always there, so that nothing moves when the signal comes and goes.
import { html, useEffect, useRef } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { Banners } from "./banner.js";
import { usePhone } from "./phone.js";
import { Icon } from "./pictures.js";
import { profileId } from "./profile.js";
import { back, go, route } from "./route.js";

export function tabsOf(state) {
  const tabs = [];
  if (state.canReceive) tabs.push(["receive", "tab-receive"]);
  if (state.household || state.recordsForOthers) tabs.push(["record", "tab-record"]);
  tabs.push(["harvest", state.household ? "tab-harvest" : "tab-lots"], ["prices", "tab-prices"], ["status", "tab-status"]);
  return tabs;
}

/** Where a person is when she opens the app. */
export const homeOf = (state) => `/${tabsOf(state)[0][0]}`;

export const isSyncing = (status) => status.syncing === true || status.state === "syncing";

/** A fault of a phone that had no signal; where the line was there and broke, or nobody answered, the core says so. */
export const isOffline = (fault) => fault?.code === "not-reached";

/** Whether there is no signal now, as far as the browser and the last try know. */
export const hasNoLine = ({ online, status }) => !online || isOffline(status?.lastError);

/** How much waits of others who share this phone. */
export const othersWait = ({ profiles }) => profiles.filter(({ id }) => id !== profileId()).reduce((sum, { unsent }) => sum + unsent, 0);

/** Where several share a phone, each page says whose it is. */
function whose({ profiles, state }) {
  const joined = profiles.filter(({ cooperative }) => cooperative);
  const mine = joined.find(({ id }) => id === profileId());
  return joined.length > 1 && mine ? state?.householdName || mine.household || mine.name : "";
}

/** What the phone says of its work, in one line: `[kind, sentence]`. */
export function whereaboutsOf({ status, online, state, profiles }) {
  if (!status || !state?.enrolled) return ["quiet", ""];
  if (status.revoked) return ["bad", t("line-revoked")];
  const waiting = status.unsent;
  if (hasNoLine({ online, status })) return ["quiet", waiting > 0 ? t("line-offline-waiting", { n: waiting }) : t("line-offline")];
  if (isSyncing(status)) return ["busy", t(waiting > 0 ? "line-sending" : "line-asking")];
  if (waiting > 0) return ["waiting", t("line-waiting", { n: waiting })];
  if (status.undelivered > 0) return ["waiting", t("line-set-aside", { n: status.undelivered })];
  const others = othersWait({ profiles });
  if (others > 0) return ["waiting", t("line-others-wait", { n: others })];
  return ["good", t("line-all-there")];
}

const SIGNS = { quiet: "phone", busy: "status", waiting: "phone", good: "ticks", bad: "warning" };

function Whereabouts() {
  const phone = usePhone();
  const [kind, sentence] = whereaboutsOf(phone);
  return html`<p class=${`line ${kind}`} role="status">${sentence && html`<${Icon} name=${SIGNS[kind]} />`}<span>${[whose(phone), sentence].filter(Boolean).join(" · ")}</span></p>`;
}

function Tabs() {
  const { state, status } = usePhone();
  const open = route().parts[0] || tabsOf(state)[0][0];
  const near = { lot: "harvest", kept: "record", for: "record", owed: "prices", settings: "status", people: "status", handover: "status", leave: "status" };
  return html`<nav class="tabs" aria-label=${t("navigation")}>
    ${tabsOf(state).map(([name, word]) => html`<a key=${name} href=${`#/${name}`}
      aria-current=${(near[open] ?? open) === name ? "page" : undefined}
      onClick=${(event) => { event.preventDefault(); go(`/${name}`); }}>
      <span class="tab-sign"><${Icon} name=${name} />
        ${name === "status" && status?.unsent > 0 && html`<span class="count" aria-label=${t("waiting-count", { n: status.unsent })}>${status.unsent > 99 ? "99+" : status.unsent}</span>`}
      </span><span>${t(word)}</span></a>`)}
  </nav>`;
}

let opened = 0;

/**
 * `back` is the page that the arrow leads to where there is no page before; without it the page is a tab's own.
 * `bare` leaves tabs and line out (before enrolment, and where the pad needs the room).
 */
export function Page({ title, back: otherwise, action, tabs = true, line = true, className = "", children }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · ${t("app")}`;
  }, [title]);
  useEffect(() => {
    // The first page leaves the focus where the browser has it; each page after it tells the screen reader its title.
    opened += 1;
    // A page that opened on its own field keeps the focus there.
    const frame = heading.current?.closest(".frame");
    if (opened > 1 && frame && !frame.contains(document.activeElement)) heading.current.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  return html`<div class=${`frame ${tabs ? "" : "no-tabs"} ${className}`}>
    <header class="top">
      ${otherwise && html`<button type="button" class="go-back" aria-label=${t("back")} onClick=${() => back(otherwise)}><${Icon} name="back" /></button>`}
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      ${line && html`<${Whereabouts} />`}
    </header>
    <main>
      <${Banners} />
      ${children}
    </main>
    ${(action || tabs) && html`<div class="dock">
      ${action && html`<div class="action">${action}</div>`}
      ${tabs && html`<${Tabs} />`}
    </div>`}
  </div>`;
}

/** An error's sentence: the core's own, which begins small in English; else this app's words for what happened beneath the core. */
export function faultSentence({ code, sentence }) {
  if (t.has(`fault-${code}`)) return t(`fault-${code}`);
  return sentence ? sentence[0].toUpperCase() + sentence.slice(1) : t("went-wrong");
}

/** An error's sentence beside what caused it. */
export const Fault = ({ error }) => error && html`<p class="fault" role="alert"><${Icon} name="warning" /><span>${faultSentence(error)}</span></p>`;
