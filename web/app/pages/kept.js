// The moment after: the lot is on this phone, durably. The page says so at once, and turns when the co-operative has it too.
import { core } from "../core.js";
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { namedDay, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { dropDraft } from "../parts/draft.js";
import { gradeName } from "../parts/lotline.js";
import { phone, placeName, productName, useCall, usePhone, useWork } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { say } from "../parts/say.js";
import { Sheet } from "../parts/sheet.js";

export function Kept({ parts }) {
  const id = parts[1];
  const { state, status } = usePhone();
  const answer = useCall("lot", { id });
  const just = phone.justKept?.id === id ? phone.justKept : null;
  const lot = answer.value?.lot ?? just;
  const [sure, setSure] = useState(false);
  const [busy, fault, run] = useWork();
  const sent = Boolean(lot?.sent);
  useEffect(() => { if (sent) say(t("now-with-cooperative")); }, [sent]);
  const undo = () => run(async () => {
    await core.call("withdraw", { id });
    say(t("undone"));
    go("/record", { replace: true });
  });
  // Of a lot that is not here nothing is said to be kept.
  if (!lot && answer.error) return html`<${Page} title=${t("lot")} back="/harvest"><${Fault} error=${answer.error} /><//>`;
  const again = () => go("/record", { replace: true });
  const forOther = () => { dropDraft("record"); again(); };
  const whose = state.household ? "" : lot?.householdName;
  const another = html`<button type="button" class="main" onClick=${again}>${whose ? t("record-another-for", { name: whose }) : t("record-another")}</button>`;
  return html`<${Page} title=${t("kept-title")} action=${another} className="kept">
    <div class="kept-tick"><svg viewBox="0 0 96 96" aria-hidden="true"><circle cx="48" cy="48" r="44" /><path d="M27 50l14 14 28-30" /></svg></div>
    <p class="kept-where" role="status">${sent ? t("now-with-cooperative") : t("kept-here")}</p>
    <p class="kept-more soft">${t(sent ? "kept-sent-more" : status?.revoked ? "revoked-more" : "kept-here-more")}</p>
    ${lot && html`<div class="card kept-lot">
      ${whose && html`<p><span class="soft">${t("for-whom-now")}</span> <strong>${whose}</strong></p>`}
      <p class="kept-much">${productName(lot.product)} <strong>${weight(lot.grams)}</strong></p>
      ${lot.grade && html`<p class="kept-much"><strong>${gradeName(lot.grade)}</strong></p>`}
      <p class="soft">${[namedDay(lot.day, state.today), placeName(lot.place)].filter(Boolean).join(" · ")}</p>
      <p class="lot-number"><span class="soft">${t("lot-number")}</span> <span class="code">${id}</span></p>
    </div>`}
    <${Fault} error=${fault ?? answer.error} />
    <div class="pair">
      <button type="button" class="second" disabled=${busy} onClick=${() => setSure(true)}><${Icon} name="back_out" />${t("undo")}</button>
      <button type="button" class="second" onClick=${() => go(`/lot/${id}`)}>${t("look-or-correct")}</button>
    </div>
    ${whose && html`<button type="button" class="plain" onClick=${forOther}>${t("for-other")}</button>`}
    ${sure && html`<${Sheet} title=${t("undo-sure")} onClose=${() => setSure(false)}>
      <p>${lot && `${productName(lot.product)} ${weight(lot.grams)}`}</p><${Fault} error=${fault} />
      <div class="pair"><button type="button" class="second" onClick=${() => setSure(false)}>${t("keep-it")}</button>
      <button type="button" class="danger" disabled=${busy} onClick=${undo}>${t("undo-yes")}</button></div><//>`}
  <//>`;
}
