// Recording a harvest: first what, then how much. Two pages, one question each. The day is today, and the grade the one that she
// chose last for this product, both shown, so that most lots need a product, a figure and one more tap. A grade that nobody chose is
// never recorded: the first time she is asked.
import { core } from "../core.js";
import { html, useEffect, useRef, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { Asked } from "../parts/asked.js";
import { beginDraft, parkDraft, unparkDraft, useDraft } from "../parts/draft.js";
import { DaySheet } from "../parts/fields.js";
import { dayBefore, shortDay, unitName, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { Figure, NumberPad } from "../parts/numberpad.js";
import { nameOf, phone, placeName, productName, useCall, useForm, usePhone, useWork } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { buzz, say } from "../parts/say.js";
import { rememberGrade, setSetting, settings, usualGrade } from "../parts/settings.js";
import { Sheet } from "../parts/sheet.js";
import { Choice, Tiles } from "../parts/tiles.js";
import { ForWhom, Whom, draftFor } from "./whom.js";
import { profileId } from "../parts/profile.js";

const EMPTY = { product: "", text: "", grade: "", day: "", place: "", note: "" };

/** The grade to begin with: what she has chosen already, the last one of this product, or the only one there is; else none. */
function gradeOf({ code, grades }, chosen) {
  const last = usualGrade(profileId(), code);
  return [chosen, last, grades.length === 1 ? grades[0] : ""].find((grade) => grades.includes(grade)) ?? "";
}

export function Choose() {
  const { catalogue, state, status } = usePhone();
  const [draft, change, drop] = useDraft("record", EMPTY);
  const household = draft.household || state.household;
  const today = useCall("lots", { from: state.today, to: state.today, household, limit: 1 }).value;
  // Who records for others says for whom before anything else.
  if (!household) return html`<${Whom} onChosen=${(one) => change(draftFor(one))} />`;
  const choose = (product) => {
    if (draft.product === product.code) change({ grade: gradeOf(product, draft.grade) });
    else {
      // Another lot: the figure that was begun waits for its own product.
      if (draft.text) parkDraft("record", draft);
      change(unparkDraft("record", (one) => one.product === product.code && one.household === draft.household)
        ?? { ...EMPTY, product: product.code, grade: gradeOf(product, "") });
    }
    go("/record/weigh");
  };
  const throwAway = () => {
    const parked = unparkDraft("record", (one) => one.household === draft.household);
    if (parked || draft.household) change(parked ?? EMPTY);
    else drop();
  };
  const offered = catalogue.products.filter((product) => product.offered !== false);
  const usual = offered.filter((product) => product.usual > 0);
  const others = offered.filter((product) => !(product.usual > 0));
  const both = usual.length > 0 && others.length > 0;
  const sum = today?.totals.reduce((grams, total) => grams + total.recordedGrams, 0) ?? 0;
  return html`<${Page} title=${t("record-what")}>
    <${Asked} />
    <${ForWhom} draft=${draft} onOther=${drop} />
    ${draft.product && draft.text && html`<div class="card unfinished"><p><strong>${t("unfinished")}</strong><br />${productName(draft.product)} · ${draft.text} ${unitName()}</p>
      <div class="row"><button type="button" class="second" onClick=${() => go("/record/weigh")}>${t("go-on")}</button>
      <button type="button" class="plain" onClick=${throwAway}>${t("throw-away")}</button></div></div>`}
    ${offered.length === 0 && html`<p class="empty">${t(status.revoked ? "revoked-no-record" : "no-products-yet")}</p>`}
    ${both && html`<h2>${t("usual-products")}</h2>`}
    <${Tiles} products=${both ? usual : offered} onChoose=${choose} />
    ${both && html`<h2>${t("other-products")}</h2><${Tiles} products=${others} onChoose=${choose} />`}
    ${today && html`<p class="soft today">${today.count > 0 ? t("today-so-far", { n: today.count, weight: weight(sum) }) : t("today-none")}</p>`}
  <//>`;
}

/** The unit beside the figure: one tap changes it, for this phone. */
export const UnitKey = () => html`<button type="button" class="unit" aria-label=${t("change-unit", { unit: unitName() })}
  onClick=${() => setSetting("unit", settings.unit === "kg" ? "jin" : "kg")}>${unitName()}</button>`;

function MoreSheet({ draft, change, onClose }) {
  const { catalogue } = usePhone();
  return html`<${Sheet} title=${t("place-and-note")} onClose=${onClose}>
    <label class="field" for="place"><span>${t("place")}</span>
      <input id="place" list="places" maxlength="60" value=${placeName(draft.place)} onInput=${(event) => change({ place: event.target.value })} /></label>
    <div class="options wrap">${catalogue.places.slice(0, 8).map((place) => html`<button key=${place.code} type="button" class="chip" aria-pressed=${String(draft.place === place.code)}
      onClick=${() => change({ place: draft.place === place.code ? "" : place.code })}>${place.name}</button>`)}</div>
    <label class="field" for="note"><span>${t("note")}</span>
      <textarea id="note" rows="3" maxlength="500" value=${draft.note} aria-describedby="note-help" onInput=${(event) => change({ note: event.target.value })}></textarea></label>
    <p id="note-help" class="soft">${t("note-help")}</p>
    <button type="button" class="main" onClick=${onClose}>${t("done")}</button>
  <//>`;
}

/** Asks back what is unusual; nothing is kept before the answer. */
export function AskBack({ sentences, onYes, onChange, busy, error }) {
  return html`<${Sheet} title=${t("is-it-right")} onClose=${onChange}>
    <ul class="asked">${sentences.map((one) => html`<li key=${one.code}><${Icon} name="warning" /><span>${one.sentence}</span></li>`)}</ul>
    <p class="soft">${t("not-kept-yet")}</p>
    <${Fault} error=${error} />
    <div class="pair"><button type="button" class="second" onClick=${onChange}>${t("change-it")}</button>
      <button type="button" class="main" disabled=${busy} onClick=${onYes}>${t("it-is-right")}</button></div>
  <//>`;
}

export function Weigh() {
  useForm();
  const { catalogue, state } = usePhone();
  const [draft, change, drop] = useDraft("record", EMPTY);
  const [sheet, setSheet] = useState("");
  const [asked, setAsked] = useState(null);
  const [busy, fault, run, clear] = useWork();
  const product = catalogue.products.find((one) => one.code === draft.product);
  const looked = useRef({ for: "", answer: null });
  const day = draft.day || state.today;
  const lotOf = (grams) => ({ household: draft.household || state.household, product: draft.product, grams, grade: draft.grade, day, place: draft.place.trim(), note: draft.note.trim() });
  // The figure is read, and what is unusual looked for, while she still types, so that the last tap has only to keep the lot.
  const look = async () => {
    const { grams } = await core.call("readWeight", { text: draft.text, unit: settings.unit });
    return { grams, unusual: await core.call("unusual", { draft: lotOf(grams), unit: settings.unit }) };
  };
  const about = [draft.product, draft.text, settings.unit, draft.grade, day].join("\n");
  useEffect(() => {
    if (!draft.text) return;
    const answer = look();
    answer.catch(() => { /* Told at the last tap. */ });
    looked.current = { for: about, answer };
  }, [about]);
  useEffect(() => { if (!product) go("/record", { replace: true }); }, [product]);
  if (!product) return null;
  const yesterday = dayBefore(state.today);
  // What was wrong is answered by what she does next.
  const mend = (some) => { clear(); change(some); };
  const onText = (text) => mend({ text });

  const keep = async (grams) => {
    const lot = lotOf(grams);
    const kept = await core.call("record", { draft: lot });
    buzz(30);
    say(t("kept-here"));
    rememberGrade(profileId(), draft.product, draft.grade);
    drop();
    // The next lot is hers too, until somebody else is chosen.
    const parked = unparkDraft("record", (one) => one.household === draft.household);
    if (parked) beginDraft("record", parked);
    else if (draft.household) beginDraft("record", draftFor({ household: draft.household, name: draft.householdName, village: draft.village }));
    phone.justKept = { ...lot, id: kept.id, householdName: draft.householdName };
    go(`/kept/${kept.id}`, { replace: true });
  };
  const save = () => run(async () => {
    // The core's own sentence about the figure comes first.
    if (draft.text && product.grades.length > 0 && !draft.grade) throw { code: "grade-missing", field: "grade", sentence: t("grade-missing") };
    const { grams, unusual } = await (looked.current.for === about ? looked.current.answer : look());
    if (unusual.length > 0) setAsked({ grams, sentences: unusual });
    else await keep(grams);
  });

  const more = [placeName(draft.place), draft.note].filter(Boolean).join(" · ");
  const otherDay = day !== state.today && day !== yesterday;
  // A unit that was typed beside the figure counts, not the key's.
  const much = /[^\d.,]/.test(draft.text.normalize("NFKC")) ? draft.text : `${draft.text} ${unitName()}`;
  const action = html`<button type="button" class="main" disabled=${busy} onClick=${save}>${!draft.text ? t("keep-empty")
    : draft.household ? t("keep-for", { weight: much, name: draft.householdName }) : t("keep", { weight: much })}</button>`;
  return html`<${Page} title=${nameOf(product)} back="/record" tabs=${false} action=${action} className="weighing">
    <${ForWhom} draft=${draft} />
    <div class="weigh">
      <div class="weigh-left">
        <div class="weigh-figure"><${Crop} code=${product.code} name=${nameOf(product)} />
          <${Figure} id="weight" label=${t("weight")} text=${draft.text} onText=${onText} onEnter=${save} focus=${true} unit=${html`<${UnitKey} />`}
            invalid=${fault?.field === "weight"} describedBy=${fault ? "weigh-fault" : undefined} /></div>
        <div id="weigh-fault"><${Fault} error=${fault} /></div>
        ${product.grades.length > 0 && html`<${Choice} name="grade" legend=${t("grade")} hideLegend=${true} value=${draft.grade} onChoose=${(grade) => mend({ grade })}
          invalid=${fault?.field === "grade"} options=${product.grades.map((grade) => [grade, t("grade-of", { grade })])} />`}
        <div class="options days" role="group" aria-label=${t("day")}>
          <button type="button" class="chip" aria-pressed=${String(day === state.today)} onClick=${() => change({ day: "" })}>${t("today")}</button>
          <button type="button" class="chip" aria-pressed=${String(day === yesterday)} onClick=${() => change({ day: yesterday })}>${t("yesterday")}</button>
          <button type="button" class="chip" aria-pressed=${String(otherDay)} onClick=${() => setSheet("day")}>${otherDay ? shortDay(day) : t("other-day")}</button>
          <button type="button" class="chip more" aria-pressed=${String(Boolean(more))} onClick=${() => setSheet("more")}>${t("note-short")}</button>
        </div>
        ${more && html`<p class="soft one-line">${more}</p>`}
      </div>
      <${NumberPad} text=${draft.text} onText=${onText} />
    </div>
    ${sheet === "day" && html`<${DaySheet} day=${day} today=${state.today} onDay=${(chosen) => { change({ day: chosen === state.today ? "" : chosen }); setSheet(""); }} onClose=${() => setSheet("")} />`}
    ${sheet === "more" && html`<${MoreSheet} draft=${draft} change=${change} onClose=${() => setSheet("")} />`}
    ${asked && html`<${AskBack} sentences=${asked.sentences} busy=${busy} error=${fault} onChange=${() => setAsked(null)} onYes=${() => run(() => keep(asked.grams))} />`}
  <//>`;
}
