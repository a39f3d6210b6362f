// For whom a recorder or a coordinator records: found by name, by the number of the household's card, or by scanning it. The card
// says which household it is and nothing else; whether this phone records for it, the core says.
import { core } from "../core.js";
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { beginDraft } from "../parts/draft.js";
import { Fault, Page, homeOf } from "../parts/frame.js";
import { useCall, usePhone, useWork, villageName } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { Scan } from "../parts/scan.js";

/** Households that are drawn at once: a coordinator has hundreds, and finds hers by name. */
const SHOWN = 60;
const CARD = /^[0-9]{8}$/;

export const personName = (one) => one.name || one.number;

/** What a scanned or typed card leads to: the household, or why it leads to none. */
async function ofCard(text) {
  const { people, isCard } = await core.call("people", { search: text });
  if (!isCard) throw { code: "no-card", sentence: t("card-not-one") };
  if (people.length === 0) throw { code: "not-yours", sentence: t("card-not-yours") };
  return people;
}

export function Whom({ onChosen, number = "" }) {
  const [search, setSearch] = useState(CARD.test(number) ? number : "");
  const [scanning, setScanning] = useState(false);
  const [, fault, run] = useWork();
  const { value, error } = useCall("people", { search: search.trim() });
  const people = value?.people ?? [];
  const scanned = (text) => {
    setScanning(false);
    run(async () => {
      const found = await ofCard(text);
      if (found.length === 1) onChosen(found[0]);
      else setSearch(found[0].number);
    });
  };
  if (scanning) return html`<${Page} title=${t("card-scan")} tabs=${false}><${Scan} help=${t("card-scan-help")} onFound=${scanned} onGiveUp=${() => setScanning(false)} /><//>`;
  return html`<${Page} title=${t("record-whom")}>
    <button type="button" class="second" onClick=${() => setScanning(true)}><${Icon} name="camera" />${t("card-scan")}</button>
    <label class="field" for="whom"><span>${t("whom-search")}</span>
      <input id="whom" type="search" value=${search} autocomplete="off" aria-describedby="whom-help" onInput=${(event) => setSearch(event.target.value)} /></label>
    <p id="whom-help" class="soft">${t("whom-help")}</p>
    <${Fault} error=${fault ?? error} />
    ${value && people.length === 0 && html`<p class="empty" role="status">${t(value.isCard ? "card-not-yours" : search.trim() ? "none-found" : "whom-nobody")}</p>`}
    <ul class="ways whom-list">${people.slice(0, SHOWN).map((one) => html`<li key=${one.household}><button type="button" class="way" onClick=${() => onChosen(one)}>
      <${Icon} name="people" /><span>${personName(one)}<br /><span class="soft">${[villageName(one.village), one.number].filter(Boolean).join(" · ")}</span></span></button></li>`)}</ul>
    ${people.length > SHOWN && html`<p class="soft">${t("whom-more", { n: people.length - SHOWN })}</p>`}
  <//>`;
}

/** The draft of a lot for this household, with nothing of another household's in it. */
export const draftFor = (one) => ({ product: "", text: "", grade: "", day: "", place: "", note: "", household: one.household, householdName: personName(one), village: one.village });

/** A card's link, opened by the phone's own camera: the page to record for that household. */
export function For({ parts }) {
  const { state } = usePhone();
  const [, fault, run] = useWork();
  useEffect(() => {
    run(async () => {
      const found = await ofCard(parts[1] ?? "");
      if (found.length > 1) return go("/record", { replace: true });
      if (found[0].household !== state.household) beginDraft("record", draftFor(found[0]));
      return go("/record", { replace: true });
    });
  }, [parts[1]]);
  return html`<${Page} title=${t("card-scan")} back=${homeOf(state)}><${Fault} error=${fault} /><//>`;
}

/** For whom the open page records, always in sight, and the way to somebody else. */
export const ForWhom = ({ draft, onOther }) => draft.household && html`<div class="card whom"><p><span class="soft">${t("for-whom-now")}</span>
  <strong>${draft.householdName}</strong>${draft.village && html` <span class="soft">${villageName(draft.village)}</span>`}</p>
  ${onOther && html`<button type="button" class="second" onClick=${onOther}>${t("for-other")}</button>`}</div>`;
