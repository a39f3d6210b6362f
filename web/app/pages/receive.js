// For packers: today's lots by household, each to be weighed in or sent back with a reason.
import { core } from "../core.js";
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { useDraft } from "../parts/draft.js";
import { dayBefore, namedDay, unitName, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { gradeName, LotLine } from "../parts/lotline.js";
import { Figure, NumberPad } from "../parts/numberpad.js";
import { sounds } from "../parts/pinyin.js";
import { phone, placeName, productName, useCall, useForm, usePhone, useWork, villageName } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { back, go, route } from "../parts/route.js";
import { buzz, say } from "../parts/say.js";
import { Scan } from "../parts/scan.js";
import { settings } from "../parts/settings.js";
import { Sheet } from "../parts/sheet.js";
import { Choice } from "../parts/tiles.js";
import { AskBack, UnitKey } from "./record.js";

const HOUSEHOLDS_A_PAGE = 30;
const SEARCH_AFTER_MS = 150;
const DONE_MAX = 5;

/** A household that nobody named yet is called by the number of its card. */
const householdName = ({ householdNumber, number = householdNumber, householdName: name }) => name || t("household-numbered", { number });

/** The number of a card, as a person types it, at the end of what its square code says. */
const CARD_END = /(\d{4})(\d{4})$/;

/**
 * Whether a search finds a household: by its name and its village as they are written and as they sound, and by two or more digits from
 * the beginning of its card's number or of the number's second group, which people remember.
 */
function fits({ number, householdName: name, village }, search) {
  const digits = search.normalize("NFKC").replace(/[\s-]/g, "");
  const isNumber = /^\d{2,}$/.test(digits) && [number, number.slice(number.indexOf(" "))].some((part) => part.replace(" ", "").startsWith(digits));
  return isNumber || [name, villageName(village)].some((one) => one?.includes(search) || sounds(one, search));
}

export function Receive() {
  const { state, status } = usePhone();
  const when = route().query.get("day") ?? "";
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => { setSearch(typed.trim()); setShown(HOUSEHOLDS_A_PAGE); }, SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const [shown, setShown] = useState(HOUSEHOLDS_A_PAGE);
  const days = [["", t("all-days")], [state.today, t("today")], [dayBefore(state.today), t("yesterday")]];
  const ofDay = when && { day: when };
  const { value, error } = useCall("toReceive", { ...ofDay });
  // The core finds lots by their number and texts, the page households.
  const byText = useCall(search && "toReceive", { ...ofDay, search });
  const fitting = (value ?? []).filter((one) => fits(one, search));
  // A lot that was weighed or sent back already is found too, to be weighed anew.
  const done = useCall(search && byText.value?.length === 0 && "lots", { search, limit: DONE_MAX });
  const found = search ? [...fitting, ...(byText.value ?? []).filter(({ household }) => !fitting.some((one) => one.household === household))] : fitting;
  // What is still under way is not nothing.
  const isFirstSync = status?.syncing && !status.lastSuccess;
  const words = settings.language + settings.unit;
  const just = phone.justReceived;
  const weighed = (search && found.length === 0 && done.value?.rows) || [];
  const [scanning, setScanning] = useState(false);
  const [, fault, run] = useWork();
  const scanned = (text) => {
    setScanning(false);
    run(async () => {
      const card = CARD_END.exec(text.trim());
      if (!card || !(await core.call("people", { search: text })).isCard) throw { code: "no-card", sentence: t("card-not-one") };
      setTyped(`${card[1]} ${card[2]}`);
    });
  };
  if (scanning) return html`<${Page} title=${t("card-scan")} tabs=${false}><${Scan} help=${t("card-scan-help")} onFound=${scanned} onGiveUp=${() => setScanning(false)} /><//>`;
  return html`<${Page} title=${t("receive-title")}>
    ${just && html`<div class="banner good"><${Icon} name="tick" /><div>${just.sentence}</div>
      <button type="button" class="small" onClick=${() => go(`/receive/${just.id}`)}>${t("change-it")}</button></div>`}
    <div class="find">
      <div class="find-row"><label class="search" for="search"><${Icon} name="search" /><span class="heard">${t("search-household")}</span>
        <input id="search" type="search" value=${typed} placeholder=${t("search-household")} onInput=${(event) => setTyped(event.target.value)} /></label>
        <button type="button" class="second" aria-label=${t("card-scan")} onClick=${() => setScanning(true)}><${Icon} name="camera" /></button></div>
      <div class="options" role="group" aria-label=${t("day")}>${days.map(([code, word]) => html`<button key=${code} type="button" class="chip" aria-pressed=${String(when === code)}
        onClick=${() => go(code ? `/receive?day=${code}` : "/receive", { replace: true })}>${word}</button>`)}</div></div>
    <${Fault} error=${fault ?? error} />
    ${value && (byText.value || !search) && found.length === 0 && weighed.length === 0 && html`<p class="empty">${t(isFirstSync ? "not-come-yet" : search ? "none-found" : "none-to-receive")}</p>`}
    <div class="households">${found.slice(0, shown).map((one) => html`<section key=${one.household} class="day"><h2>${householdName(one)} <span class="soft">${villageName(one.village)}</span></h2>
      <ul class="lots">${one.lots.map((lot) => html`<${LotLine} key=${lot.id} lot=${lot} href=${`/receive/${lot.id}`} words=${words} scale=${true} />`)}</ul></section>`)}</div>
    ${weighed.length > 0 && html`<ul class="lots">${weighed.map((lot) => html`<${LotLine} key=${lot.id} lot=${lot} href=${`/receive/${lot.id}`} words=${words} showHousehold=${true} />`)}</ul>`}
    ${found.length > shown && html`<button type="button" class="second" onClick=${() => setShown(shown + HOUSEHOLDS_A_PAGE)}>${t("show-more", { n: found.length - shown })}</button>`}
  <//>`;
}

/** What was just done stands on the list, with the way to do it anew. */
function tellDone(id, sentence) {
  phone.justReceived = { id, sentence };
  say(sentence);
}

/** What the warehouse said of this lot already; what is kept now takes its place. */
function Already({ lot }) {
  if (lot.state === "recorded") return null;
  const said = lot.state === "rejected" ? [t("lot-rejected"), lot.reason] : [t("lot-weighed", { weight: weight(lot.weighedGrams) }), gradeName(lot.weighedGrade)];
  return html`<p class="banner note"><${Icon} name="scale" /><span><strong>${said.filter(Boolean).join(" · ")}</strong> ${t("already-said")}</span></p>`;
}

function SendBack({ lot, onClose }) {
  const [draft, change, drop] = useDraft(`reject.${lot.id}`, { reason: "" });
  const [busy, fault, run] = useWork();
  const usual = ["reason-wet", "reason-mould", "reason-insects", "reason-mixed"];
  const send = () => run(async () => {
    if (!draft.reason.trim()) throw { code: "reason", field: "reason", sentence: t("reason-missing") };
    await core.call("reject", { id: lot.id, reason: draft.reason.trim() });
    drop();
    tellDone(lot.id, t("was-sent-back", { household: householdName(lot), product: productName(lot.product) }));
    back("/receive");
  });
  return html`<${Sheet} title=${t("send-back-why")} onClose=${onClose}>
    <div class="options wrap">${usual.map((word) => html`<button key=${word} type="button" class="chip" aria-pressed=${String(draft.reason === t(word))} onClick=${() => change({ reason: t(word) })}>${t(word)}</button>`)}</div>
    <label class="field" for="reason"><span>${t("reason")}</span><textarea id="reason" rows="3" maxlength="200" value=${draft.reason} aria-invalid=${fault ? "true" : undefined} onInput=${(event) => change({ reason: event.target.value })}></textarea></label>
    <${Fault} error=${fault} />
    <div class="pair"><button type="button" class="second" onClick=${onClose}>${t("not-now")}</button><button type="button" class="danger" disabled=${busy} onClick=${send}>${t("send-back")}</button></div>
  <//>`;
}

export function WeighIn({ parts }) {
  const id = parts[1];
  const { value, error } = useCall("lot", { id });
  if (!value) return html`<${Page} title=${t("weigh-in")} back="/receive" tabs=${false}><${Fault} error=${error} /><//>`;
  return html`<${Scale} lot=${value.lot} id=${id} />`;
}

function Scale({ lot, id }) {
  useForm();
  const { catalogue, state } = usePhone();
  const product = catalogue.products.find((one) => one.code === lot.product);
  const grades = product?.grades ?? [];
  // The grade is what the warehouse sees. What the household wrote is shown and never chosen for whoever weighs.
  const [draft, change, drop] = useDraft(`weighed.${id}`, { text: "", grade: grades.length === 1 ? grades[0] : "" });
  const [sheet, setSheet] = useState(false);
  const [asked, setAsked] = useState(null);
  const [busy, fault, run, clear] = useWork();
  const mend = (some) => { clear(); change(some); };
  const onText = (text) => mend({ text });
  const take = async (grams) => {
    await core.call("receive", { id, weighedGrams: grams, grade: draft.grade });
    buzz(30);
    drop();
    tellDone(id, t("was-received", { household: householdName(lot), product: productName(lot.product), weight: weight(grams) }));
    back("/receive");
  };
  // Far more or less than the household wrote is most likely a slip of the thumb or another's sack: the core asks back.
  const save = () => run(async () => {
    const { grams } = await core.call("readWeight", { text: draft.text, unit: settings.unit });
    if (grades.length > 0 && !draft.grade) throw { code: "grade", field: "grade", sentence: t("grade-by-warehouse") };
    const sentences = await core.call("unusualReceipt", { id, weighedGrams: grams, grade: draft.grade, unit: settings.unit });
    if (sentences.length > 0) setAsked({ grams, sentences });
    else await take(grams);
  });
  const action = html`<div class="pair uneven"><button type="button" class="second" onClick=${() => setSheet(true)}>${t("send-back")}</button>
    <button type="button" class="main" disabled=${busy} onClick=${save}>${draft.text ? t("weigh-in-much", { weight: `${draft.text} ${unitName()}` }) : t("weigh-in")}</button></div>`;
  return html`<${Page} title=${householdName(lot)} back="/receive" tabs=${false} action=${action} className="weighing">
    <${Already} lot=${lot} />
    <div class="weigh"><div class="weigh-left">
      <p class="recorded"><${Crop} code=${lot.product} name=${productName(lot.product)} /><span><strong>${productName(lot.product)}</strong> ${t("recorded-much", { weight: weight(lot.grams) })}
        <br /><span class="code">${lot.id}</span><br /><span class="soft">${[lot.grade && t("grade-said", { grade: gradeName(lot.grade) }), namedDay(lot.day, state.today), placeName(lot.place), lot.note].filter(Boolean).join(" · ")}</span></span></p>
      <div class="weigh-figure"><${Figure} id="weighed" label=${t("weighed")} text=${draft.text} onText=${onText} onEnter=${save} focus=${true} unit=${html`<${UnitKey} />`} invalid=${fault?.field === "weight"} /></div>
      <${Fault} error=${fault} />
      ${grades.length > 0 && html`<${Choice} name="grade" legend=${t("grade-seen")} hideLegend=${true} value=${draft.grade} invalid=${fault?.field === "grade"} onChoose=${(grade) => mend({ grade })} options=${grades.map((grade) => [grade, t("grade-of", { grade })])} />`}
    </div><${NumberPad} text=${draft.text} onText=${onText} /></div>
    ${sheet && html`<${SendBack} lot=${lot} onClose=${() => setSheet(false)} />`}
    ${asked && html`<${AskBack} sentences=${asked.sentences} busy=${busy} error=${fault} onChange=${() => setAsked(null)} onYes=${() => run(() => take(asked.grams))} />`}
  <//>`;
}
