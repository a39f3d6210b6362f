// What a household is owed so far: what was weighed, by the price of its grade and day, less advances; and what is not in it yet.
import { html } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { money, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { productName, useCall, usePhone } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { AsOf } from "./status.js";

export function Owed() {
  const { state, status } = usePhone();
  const { value, error } = useCall("owed", {});
  const waiting = useCall("lots", { household: state.household, state: "recorded", limit: 1 }).value;
  const waitingGrams = waiting?.totals.reduce((grams, total) => grams + total.recordedGrams, 0) ?? 0;
  if (status.revoked) return html`<${Page} title=${t("owed")} back="/prices"><p class="empty">${t("revoked-no-prices")}</p><//>`;
  const before = value ? value.fen + value.advancesFen : 0;
  return html`<${Page} title=${t("owed")} back="/prices">
    <${Fault} error=${error} />
    <${AsOf} />
    ${value && html`
      <div class="owed-sum"><p class="owed-word">${t(value.fen < 0 ? "owed-back" : "owed-so-far")}</p><p class="owed-much">${money(Math.abs(value.fen))}</p><p>${t("owed-from", { n: value.weighedLots })}</p></div>
      ${value.byProduct.length > 0 ? html`<table class="sums"><caption class="heard">${t("owed-by-product")}</caption>
        <thead><tr><th scope="col">${t("product")}</th><th scope="col" class="number">${t("amount")}</th></tr></thead>
        <tbody>${value.byProduct.map((row) => html`<tr key=${row.product}><th scope="row"><span class="sums-what"><${Crop} code=${row.product} name=${productName(row.product)} /><span>${productName(row.product)}<br /><span class="soft">${weight(row.grams)}</span></span></span></th><td class="number">${money(row.fen)}</td></tr>`)}
        ${value.advancesFen > 0 && html`<tr><th scope="row">${t("sum-before-advances")}</th><td class="number">${money(before)}</td></tr>
          <tr><th scope="row">${t("advances")}</th><td class="number">${money(-value.advancesFen)}</td></tr>`}</tbody>
        <tfoot><tr><th scope="row">${t("owed-so-far")}</th><td class="number">${money(value.fen)}</td></tr></tfoot></table>`
        : html`<p class="empty">${t("nothing-weighed-yet")}</p>`}
      <h2>${t("not-in-it")}</h2>
      <ul class="plain-list">
        ${value.withoutPrice > 0 && html`<li><${Icon} name="warning" /><span>${t("without-price", { n: value.withoutPrice })}</span></li>`}
        ${waiting && waiting.count > 0 && html`<li><${Icon} name="scale" /><span>${t("waiting-weighing", { n: waiting.count, weight: weight(waitingGrams) })}</span></li>`}
        ${value.withoutPrice === 0 && waiting?.count === 0 && html`<li><${Icon} name="tick" /><span>${t("all-in-it")}</span></li>`}
      </ul>
      <p class="soft">${t("owed-help")}</p>
      <button type="button" class="second" onClick=${() => go("/harvest?only=received")}>${t("see-weighed")}</button>`}
  <//>`;
}
