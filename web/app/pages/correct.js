// Correcting one field of a lot: the same means as in recording, one field a page. What is unusual is asked back.
import { core } from "../core.js";
import { html, useEffect, useRef, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { useDraft } from "../parts/draft.js";
import { DayField } from "../parts/fields.js";
import { asTyped, unitName } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { Figure, NumberPad } from "../parts/numberpad.js";
import { placeName, useCall, useForm, usePhone, useWork } from "../parts/phone.js";
import { back, go } from "../parts/route.js";
import { buzz, say } from "../parts/say.js";
import { settings } from "../parts/settings.js";
import { Choice, Tiles } from "../parts/tiles.js";
import { FIELDS, shownValue } from "../parts/values.js";
import { AskBack, UnitKey } from "./record.js";

export function Correct({ parts }) {
  const { value, error } = useCall("lot", { id: parts[1] });
  const field = parts[3];
  // The lot's own page is the choice of fields.
  const isField = FIELDS.includes(field);
  useEffect(() => { if (!isField) go(`/lot/${parts[1]}`, { replace: true }); }, [isField]);
  if (!isField) return null;
  if (!value) return html`<${Page} title=${t("correct")} back=${`/lot/${parts[1]}`} tabs=${false}><${Fault} error=${error} /><//>`;
  return html`<${Editor} id=${parts[1]} field=${field} lot=${value.lot} />`;
}

const before = (lot, field) => {
  if (field === "grams") return lot.grams === null ? "" : asTyped(lot.grams);
  if (field === "moisture") return lot.moisture === null ? "" : String(lot.moisture / 10);
  if (field === "place") return placeName(lot.place ?? "");
  return lot[field] ?? "";
};

function Editor({ id, field, lot }) {
  useForm();
  const { catalogue, state } = usePhone();
  const [draft, change, drop] = useDraft(`correct.${id}.${field}.${field === "grams" ? settings.unit : ""}`, { text: before(lot, field) });
  const untouched = before(lot, field);
  const was = useRef(untouched);
  // What nobody has typed over is told in the other unit; what was typed stays as it is.
  useEffect(() => {
    if (draft.text === was.current && was.current !== untouched) change({ text: untouched });
    was.current = untouched;
  }, [untouched]);
  const [asked, setAsked] = useState(null);
  const [busy, fault, run, clear] = useWork();
  const home = `/lot/${id}`;
  const take = async (value) => {
    await core.call("correct", { id, edits: [{ field, value }] });
    buzz(30);
    say(t("corrected"));
    drop();
    back(home);
  };
  const save = (chosen) => run(async () => {
    const value = await readValue(field, chosen ?? draft.text, catalogue);
    const unusual = await core.call("unusualCorrection", { id, edits: [{ field, value }], unit: settings.unit });
    if (unusual.length > 0) setAsked({ value, sentences: unusual });
    else await take(value);
  });
  const product = catalogue.products.find((one) => one.code === lot.product);
  const pad = field === "grams" || field === "moisture";
  const onText = (text) => { clear(); change({ text }); };
  const action = field === "product" || field === "day" ? null
    : html`<button type="button" class="main" disabled=${busy} onClick=${() => save()}>${t("correct-keep")}</button>`;
  return html`<${Page} title=${t("correct-field", { field: t(`field-${field}`) })} back=${home} tabs=${false} action=${action} className=${pad ? "weighing" : ""}>
    <p class="soft">${t("until-now", { value: shownValue(field, lot[field], state.today) })}</p>
    <${Fault} error=${fault} />
    ${pad && html`<div class="weigh"><div class="weigh-left"><div class="weigh-figure"><${Figure} id="corrected" label=${t(`field-${field}`)} text=${draft.text} onText=${onText} onEnter=${() => save()} focus=${true}
      invalid=${Boolean(fault)} unit=${field === "grams" ? html`<${UnitKey} />` : html`<span class="unit">%</span>`} /></div></div>
      <${NumberPad} text=${draft.text} onText=${onText} fresh=${draft.text === untouched} /></div>`}
    ${field === "product" && html`<${Tiles} products=${catalogue.products.filter((one) => one.offered !== false || one.code === draft.text)} chosen=${draft.text} onChoose=${(one) => { change({ text: one.code }); save(one.code); }} />`}
    ${field === "grade" && (product?.grades.length > 0
      ? html`<${Choice} name="grade" legend=${t("grade")} value=${draft.text} onChoose=${onText} options=${product.grades.map((grade) => [grade, t("grade-of", { grade })])} />`
      : html`<${Text} label=${t("grade")} text=${draft.text} onText=${onText} max=${32} />`)}
    ${field === "day" && html`<div class="stack"><${DayField} day=${draft.text} today=${state.today} onDay=${(day) => { change({ text: day }); save(day); }} /></div>`}
    ${field === "place" && html`<${Text} label=${t("place")} text=${draft.text} onText=${onText} max=${60} />
      <div class="options wrap">${catalogue.places.slice(0, 12).map((place) => html`<button key=${place.code} type="button" class="chip" aria-pressed=${String(draft.text === place.name)} onClick=${() => onText(place.name)}>${place.name}</button>`)}</div>`}
    ${field === "note" && html`<label class="field" for="text"><span>${t("note")}</span><textarea id="text" rows="5" maxlength="500" value=${draft.text} onInput=${(event) => onText(event.target.value)}></textarea></label><p class="soft">${t("note-help")}</p>`}
    ${asked && html`<${AskBack} sentences=${asked.sentences} busy=${busy} error=${fault} onChange=${() => setAsked(null)} onYes=${() => run(() => take(asked.value))} />`}
  <//>`;
}

const Text = ({ label, text, onText, max }) => html`<label class="field" for="text"><span>${label}</span>
  <input id="text" maxlength=${max} value=${text} onInput=${(event) => onText(event.target.value)} /></label>`;

/** What was typed as the core takes it: grams and permille as integers, a known place by its code. */
async function readValue(field, text, catalogue) {
  if (field === "grams") return (await core.call("readWeight", { text, unit: settings.unit })).grams;
  if (field === "moisture") {
    const permille = Math.round(Number(text) * 10);
    if (!text.trim() || !Number.isInteger(permille)) throw { code: "moisture", field, sentence: t("moisture-wrong") };
    return permille;
  }
  if (field === "place") return catalogue.places.find((place) => place.name === text.trim())?.code ?? text.trim();
  return typeof text === "string" ? text.trim() : text;
}
