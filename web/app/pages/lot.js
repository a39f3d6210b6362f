// One lot: what was recorded, what the warehouse weighed, what happened to it; a field that two phones wrote differently with
// both values side by side; each field to correct; withdrawing, after a question.
import { core } from "../core.js";
import { html, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { instant, money, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { gradeName, Standing } from "../parts/lotline.js";
import { productName, useCall, usePhone, useWork } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { back, go } from "../parts/route.js";
import { say } from "../parts/say.js";
import { settings } from "../parts/settings.js";
import { Sheet } from "../parts/sheet.js";
import { authorWord, FIELDS, shownValue } from "../parts/values.js";
import { AskBack } from "./record.js";

/** Who wrote a value and when, as the history tells it. */
function written(field, value, history) {
  const [last] = history.filter(({ fields }) => fields?.some((one) => one.field === field && one.value === value)).sort((one, other) => other.at - one.at);
  return last && html`<br />${authorWord(last.who)}<br /><span class="soft">${instant(last.at)}</span>`;
}

function Conflict({ id, conflict, history, today, mine }) {
  const [asked, setAsked] = useState(null);
  const [busy, fault, run] = useWork();
  const take = async (value) => {
    await core.call("correct", { id, edits: [{ field: conflict.field, value }] });
    setAsked(null);
    say(t("settled"));
  };
  const choose = (value) => run(async () => {
    const unusual = await core.call("unusualCorrection", { id, edits: [{ field: conflict.field, value }], unit: settings.unit });
    if (unusual.length > 0) setAsked({ value, sentences: unusual });
    else await take(value);
  });
  return html`<section class="card conflict" aria-labelledby=${`conflict-${conflict.field}`}>
    <h2 id=${`conflict-${conflict.field}`}><${Icon} name="split" />${t("conflict-of", { field: t(`field-${conflict.field}`) })}</h2>
    <p>${t("conflict-why")}</p>
    <div class="sides">${conflict.values.map((value) => html`<div key=${JSON.stringify(value)} class="side">
      <p><span class="side-value">${shownValue(conflict.field, value, today)}</span>${written(conflict.field, value, history)}</p>
      ${mine && html`<button type="button" class="main" disabled=${busy} onClick=${() => choose(value)} aria-label=${`${shownValue(conflict.field, value, today)}: ${t("this-one")}`}>${t("this-one")}</button>`}
    </div>`)}</div>
    <${Fault} error=${fault} />
    ${mine && html`<button type="button" class="plain" onClick=${() => go(`/lot/${id}/correct/${conflict.field}`)}>${t("neither")}</button>`}
    ${asked && html`<${AskBack} sentences=${asked.sentences} busy=${busy} error=${fault} onChange=${() => setAsked(null)} onYes=${() => run(() => take(asked.value))} />`}
  </section>`;
}

const PLACES = { grams: "weight", product: "product", grade: "grade", moisture: "moisture", day: "day", place: "place", note: "note" };

function Facts({ lot, mine, today }) {
  const fields = FIELDS.filter((field) => field !== "moisture" || (lot.moisture !== null && lot.moisture !== undefined));
  return html`<dl class="card facts">${fields.map((field) => html`<div key=${field} class="fact">
    <dt>${t(PLACES[field])}</dt><dd class=${field === "note" ? "written" : ""}>${shownValue(field, lot[field], today)}</dd>
    ${mine && html`<dd class="do"><a class="correct" href=${`#/lot/${lot.id}/correct/${field}`} onClick=${(event) => { event.preventDefault(); go(`/lot/${lot.id}/correct/${field}`); }}
      aria-label=${t("correct-field", { field: t(PLACES[field]) })}><${Icon} name="pen" /></a></dd>`}
  </div>`)}</dl>`;
}

/** Weighings at once that disagree, each with who wrote it and when. */
function Weighings({ weighings }) {
  if (!weighings?.length) return null;
  return html`<section class="card conflict"><h3><${Icon} name="split" />${t("lot-weighed-differently")}</h3>
    <p>${t("weighings-why")}</p>
    <div class="sides">${weighings.map((one, index) => html`<div key=${index} class="side">
      <p><span class="side-value">${one.grams === null ? t("lot-rejected") : `${weight(one.grams)} ${gradeName(one.grade)}`}</span>${one.reason && html`<br />${one.reason}`}
      <br />${authorWord(one.who)}<br /><span class="soft">${instant(one.at)}</span></p></div>`)}</div></section>`;
}

function Warehouse({ lot, payFen }) {
  if (lot.state === "recorded") return html`<p class="soft">${t("not-weighed-yet")}</p>`;
  if (lot.state === "rejected") return html`<div class="card sent-back"><p><strong>${t("lot-rejected")}</strong></p><p class="written">${lot.reason || t("no-reason")}</p></div>`;
  const less = lot.grams === null ? 0 : lot.weighedGrams - lot.grams;
  return html`<div class="card weighed-card"><p class="big"><${Icon} name="scale" />${weight(lot.weighedGrams)}</p>
    <p>${gradeName(lot.weighedGrade)}</p>
    ${less !== 0 && html`<p class="soft">${t(less < 0 ? "weighed-less" : "weighed-more", { weight: weight(Math.abs(less)) })}</p>`}
    ${payFen !== null && payFen !== undefined && html`<p>${t("lot-pays", { money: money(payFen) })}</p>`}</div>`;
}

/** An empty value of these in the history is the choice between two that were there already. */
const NEVER_EMPTY = new Set(["grams", "product", "day"]);

function History({ history, today }) {
  const isSentBack = ({ what, fields }) => what === "weighed" && fields?.some(({ field, value }) => field === "state" && value === "rejected");
  const word = (entry) => (isSentBack(entry) ? t("lot-rejected") : t.has(`did-${entry.what}`) ? t(`did-${entry.what}`) : entry.what);
  // "Grade A" names its field already.
  const named = (field, value) => (field === "grade" && value ? "" : `${t.has(`field-${field}`) ? t(`field-${field}`) : field} `);
  return html`<ol class="history">${history.map((entry, index) => html`<li key=${index}>
    <p><strong>${word(entry)}</strong> <span class="soft">${authorWord(entry.who)}${entry.at ? ` · ${instant(entry.at)}` : ""}</span></p>
    ${entry.fields?.length > 0 && html`<p class="soft">${entry.fields.map(({ field, value }) => `${named(field, value)}${value === "" && NEVER_EMPTY.has(field) ? t("one-was-chosen") : shownValue(field, value, today)}`).join(t("comma"))}</p>`}
  </li>`)}</ol>`;
}

export function Lot({ parts }) {
  const id = parts[1];
  const { state } = usePhone();
  const { value, error } = useCall("lot", { id });
  const [sure, setSure] = useState(false);
  const [busy, fault, run] = useWork();
  const withdraw = () => run(async () => {
    await core.call("withdraw", { id });
    say(t("withdrawn"));
    back("/harvest");
  });
  if (!value) return html`<${Page} title=${t("lot")} back="/harvest"><${Fault} error=${error} /><//>`;
  const { lot, conflicts, weighings, history, payFen } = value;
  const mine = Boolean(lot.mayCorrect) && !lot.damaged;
  const name = productName(lot.product);
  return html`<${Page} title=${`${name} ${weight(lot.grams)}`} back="/harvest">
    <div class="lot-head"><${Crop} code=${lot.product} name=${name} />
      <div><${Standing} lot=${lot} /><p class="lot-number"><span class="soft">${t("lot-number")}</span> <span class="code">${lot.id}</span></p>
      ${!state.household && html`<p>${lot.householdName}</p>`}
      ${lot.recordedBy && html`<p class="soft">${t("recorded-by", { who: authorWord(lot.recordedBy) })}</p>`}</div></div>
    ${lot.notTakenIn && html`<p class="banner bad"><${Icon} name="warning" /><span>${t("not-taken-in-more")} ${lot.notTakenIn}</span></p>`}
    <${Fault} error=${fault ?? error} />
    ${conflicts.map((conflict) => html`<${Conflict} key=${conflict.field} id=${id} conflict=${conflict} history=${history} today=${state.today} mine=${mine} />`)}
    <div class="two">
      <section><h2>${t("recorded-as")}</h2><${Facts} lot=${lot} mine=${mine} today=${state.today} /></section>
      <section><h2>${t("warehouse")}</h2><${Warehouse} lot=${lot} payFen=${payFen} /><${Weighings} weighings=${weighings} />
        ${state.canReceive && !lot.damaged && html`<div class="pair"><button type="button" class="second" onClick=${() => go(`/receive/${id}`)}>${t(lot.state === "recorded" ? "weigh-in" : "weigh-anew")}</button></div>`}
        <h2>${t("history")}</h2><${History} history=${history} today=${state.today} /></section>
    </div>
    ${mine && html`<button type="button" class="plain withdraw" onClick=${() => setSure(true)}>${t("withdraw")}</button>`}
    ${sure && html`<${Sheet} title=${t("withdraw-sure")} onClose=${() => setSure(false)}>
      <p><strong>${name} ${weight(lot.grams)}</strong></p><p>${t("withdraw-more")}</p>
      ${lot.state === "received" && html`<p><strong>${payFen ? t("withdraw-pays", { weight: weight(lot.weighedGrams), money: money(payFen) }) : t("withdraw-weighed", { weight: weight(lot.weighedGrams) })}</strong></p>`}
      <${Fault} error=${fault} />
      <div class="pair"><button type="button" class="second" onClick=${() => setSure(false)}>${t("keep-it")}</button>
      <button type="button" class="danger" disabled=${busy} onClick=${withdraw}>${t("withdraw-yes")}</button></div><//>`}
  <//>`;
}
