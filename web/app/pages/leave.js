// Leaving the co-operative on this phone: first what would be lost, then means to keep it, then a question, then it is gone.
import { core } from "../core.js";
import { html, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { dropDrafts } from "../parts/draft.js";
import { asTyped, unitName } from "../parts/figures.js";
import { saveFile } from "../parts/files.js";
import { Fault, Page } from "../parts/frame.js";
import { placeName, productName, refresh, usePhone, useWork } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { say } from "../parts/say.js";
import { forgetGrades, readSettings } from "../parts/settings.js";
import { Sheet } from "../parts/sheet.js";
import { profileId } from "../parts/profile.js";

async function leave(force) {
  const gone = profileId();
  await core.removeProfile(gone, { force });
  dropDrafts(gone);
  forgetGrades(gone);
  readSettings();
  say(t("left"));
  go("/", { replace: true });
  await refresh();
}

const ALL = 2 ** 32 - 1;

/** A field of a table. A text that a spreadsheet would take for a formula begins with an apostrophe. */
function quoted(value) {
  const text = String(value ?? "").replace(/^[=+\-@\t\r＝＋－＠]/, "'$&");
  return /[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lots as a table for spreadsheets, in the reader's language and unit; with a mark, so that they read it as UTF-8. */
function tableOf(rows) {
  const grams = (some) => (some === null ? "" : asTyped(some));
  const columns = [
    [t("lot-number"), (lot) => lot.id], [t("household"), (lot) => lot.householdName], [t("day"), (lot) => lot.day],
    [t("product"), (lot) => productName(lot.product)], [`${t("weight")} (${unitName()})`, (lot) => grams(lot.grams)], [t("grade"), (lot) => lot.grade],
    [`${t("moisture")} (%)`, (lot) => (lot.moisture === null ? "" : lot.moisture / 10)], [t("place"), (lot) => placeName(lot.place)],
    [t("note"), (lot) => lot.note], [t("field-state"), (lot) => t(lot.sent || lot.state !== "recorded" ? `state-${lot.state}` : "lot-kept")], [`${t("weighed")} (${unitName()})`, (lot) => grams(lot.weighedGrams)],
    [t("field-reason"), (lot) => lot.reason], [t("lot-not-taken-in"), (lot) => lot.notTakenIn],
  ];
  const lines = [columns.map(([head]) => head), ...rows.map((lot) => columns.map(([, of]) => of(lot)))];
  return `\uFEFF${lines.map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`;
}

/** What the co-operative lacks of this phone: what waits, and what was set aside. */
const lackedBy = (status) => status.unsent + status.undelivered;

/** The question before leaving, with what would be lost. */
export function LeaveSteps({ onStay }) {
  const { status } = usePhone();
  const [undelivered, setUndelivered] = useState(false);
  const [busy, fault, run] = useWork();
  const count = lackedBy(status);
  const waits = count > 0 || undelivered;
  const now = () => run(async () => {
    try { await leave(waits); } catch (error) {
      if (error.code !== "not-delivered") throw error;
      setUndelivered(true);
    }
  });
  return html`<p>${waits ? html`<strong>${t("leave-loses", { n: Math.max(1, count) })}</strong>` : t("leave-loses-nothing")}</p>
    <${Fault} error=${fault} />
    <div class="pair"><button type="button" class="second" onClick=${onStay}>${t("stay")}</button>
    <button type="button" class="danger" disabled=${busy} onClick=${now}>${t(waits ? "leave-and-lose" : "leave-yes")}</button></div>`;
}

export function Leave() {
  const { status, state } = usePhone();
  const [sure, setSure] = useState(false);
  const [busy, fault, run] = useWork();
  const table = () => run(async () => {
    const { rows } = await core.call("lots", { limit: ALL });
    await saveFile(new File([tableOf(rows)], `granary-${state.today}.csv`, { type: "text/csv" }));
  });
  const send = () => run(() => core.sync());
  return html`<${Page} title=${t("leave")} back="/status" tabs=${false}
      action=${html`<button type="button" class="danger" onClick=${() => setSure(true)}>${t("leave-begin")}</button>`}>
    <p>${t("leave-what", { cooperative: state.cooperative })}</p>
    ${lackedBy(status) > 0 ? html`<div class="banner bad" role="note"><${Icon} name="warning" /><span>${t("leave-unsent", { n: lackedBy(status) })}</span></div>`
      : html`<p class="soft"><${Icon} name="ticks" /> ${t("leave-all-sent")}</p>`}
    <h2>${t("leave-first")}</h2>
    <div class="stack">
      ${status.unsent > 0 && html`<button type="button" class="second" disabled=${busy} onClick=${send}>${t("send-now")}</button>
        <button type="button" class="second" onClick=${() => go("/handover")}>${t("handover")}</button>`}
      <button type="button" class="second" disabled=${busy} onClick=${table}>${t("export-table")}</button>
    </div>
    <${Fault} error=${fault} />
    ${sure && html`<${Sheet} title=${t("leave-sure")} onClose=${() => setSure(false)}><${LeaveSteps} onStay=${() => setSure(false)} /><//>`}
  <//>`;
}
