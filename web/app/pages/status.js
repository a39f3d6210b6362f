// How the phone is, in plain words: what waits, when the co-operative was last reached, what it cost; and what a person can do.
import { core } from "../core.js";
import { html } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { Banner } from "../parts/banner.js";
import { bytes, instant } from "../parts/figures.js";
import { Fault, hasNoLine, isOffline, isSyncing, othersWait, Page, whereaboutsOf } from "../parts/frame.js";
import { InstallHint } from "../parts/install.js";
import { refreshStorage, usePhone, useWork, villageName } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { say } from "../parts/say.js";
import { roleWord } from "../parts/values.js";

const MINUTE_MS = 60_000;

export function ago(millis) {
  const minutes = Math.floor((Date.now() - millis) / MINUTE_MS);
  if (minutes < 1) return t("just-now");
  if (minutes < 60) return t("minutes-ago", { n: minutes });
  return instant(millis);
}

const DAY_MS = 24 * 60 * MINUTE_MS;

/** Says of what day the figures of a page are, where the phone has not heard of the co-operative for a day. */
export function AsOf() {
  const { lastSuccess } = usePhone().status;
  return lastSuccess && Date.now() - lastSuccess > DAY_MS ? html`<p class="soft">${t("as-of", { when: ago(lastSuccess) })}</p>` : null;
}

function bigWords({ unsent, undelivered }) {
  if (unsent > 0) return t("waiting-count", { n: unsent });
  return undelivered > 0 ? t("set-aside-count", { n: undelivered }) : t("nothing-waits");
}

const Way = ({ to, sign, words }) => html`<li><a class="way" href=${`#${to}`} onClick=${(event) => { event.preventDefault(); go(to); }}>
  <${Icon} name=${sign} /><span>${words}</span><${Icon} name="next" /></a></li>`;

export function Status() {
  const phone = usePhone();
  const { status, state, storage } = phone;
  const [busy, fault, run] = useWork();
  const send = () => run(async () => { await core.sync(); say(t("sent-now")); });
  const [kind] = whereaboutsOf(phone);
  const syncing = busy || isSyncing(status);
  const action = !status.revoked && html`<button type="button" class="main" disabled=${syncing} onClick=${send}>${syncing ? t("line-sending") : t(status.unsent > 0 ? "send-now" : "ask-now")}</button>`;
  const keepIt = () => navigator.storage?.persist?.().then(refreshStorage, refreshStorage);
  const month = status.month ?? { up: 0, down: 0 };
  return html`<${Page} title=${t("tab-status")} action=${action}>
    <div class="two"><div>
      <section class=${`card standing-card ${kind}`} aria-label=${t("what-waits")}>
        <p class="standing-big">${bigWords(status)}</p>
        <p>${status.revoked ? t("revoked-more") : status.unsent > 0 ? t(hasNoLine(phone) ? "waiting-offline-more" : "waiting-more") : t(status.undelivered > 0 ? "set-aside-more" : "nothing-waits-more")}</p>
        ${othersWait(phone) > 0 && html`<p>${t("others-wait-more", { n: othersWait(phone) })}</p>`}
      </section>
      <${Fault} error=${fault} />
      ${!fault && status.lastError && !isOffline(status.lastError) && html`<${Banner}>${status.lastError.sentence}<//>`}
      ${status.heldBack && html`<${Banner}><strong>${t("held-back")}</strong> ${status.heldBack.sentence}<//>`}
      ${status.unsent > 0 && status.undelivered > 0 && html`<${Banner}>${t("set-aside-count", { n: status.undelivered })} ${t("set-aside-more")}<//>`}
      ${(status.quarantined ?? []).map((sentence) => html`<${Banner} key=${sentence}><strong>${t("set-aside")}</strong> ${sentence}<//>`)}
      <dl class="card facts">
        <div><dt>${t("last-contact")}</dt><dd>${status.lastSuccess ? ago(status.lastSuccess) : t("never-yet")}</dd></div>
        <div><dt>${t("bytes-month")}</dt><dd>${bytes(month.up + month.down)} <span class="soft">${t("bytes-split", { up: bytes(month.up), down: bytes(month.down) })}</span></dd></div>
        <div><dt>${t("cooperative")}</dt><dd>${state.cooperative}</dd></div>
        <div><dt>${t("this-is")}</dt><dd>${[state.householdName, villageName(state.village)].filter(Boolean).join(" · ") || roleWord(state.role)}</dd></div>
        ${storage && html`<div><dt>${t("room")}</dt><dd>${bytes(storage.usage ?? 0)}${storage.quota ? html` <span class="soft">${t("room-of", { quota: bytes(storage.quota) })}</span>` : ""}
          <br /><span class="soft">${t(storage.persisted ? "persisted" : "not-persisted")}</span></dd>
          ${!storage.persisted && html`<dd class="do wide"><button type="button" class="second" onClick=${keepIt}>${t("ask-persist")}</button></dd>`}</div>`}
      </dl>
    </div><div>
      <ul class="ways">
        <${Way} to="/handover" sign="receive" words=${t("handover")} />
        <${Way} to="/settings" sign="pen" words=${t("settings-long")} />
        <${Way} to="/people" sign="people" words=${t("people")} />
        <${Way} to="/leave" sign="back_out" words=${t("leave")} />
      </ul>
      ${!core.installed && html`<${InstallHint} />`}
    </div></div>
  <//>`;
}
